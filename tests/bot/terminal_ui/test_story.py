"""The terminal as a person meets it: a process with a pipe for a keyboard."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.bot.process import ROOT, environment
from tests.fakes.agent_server import KEY, PNG, FakeAgent

pytestmark = pytest.mark.process


async def start(folder: Path, url: str, **more: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", stdin=-1, stdout=-1, stderr=-1, cwd=folder, env=environment(folder, url, **more)
    )


async def play(folder: Path, url: str, typed: str, **more: str) -> tuple[int | None, str]:
    """Type it all, then end of input; return exit code and what was printed."""
    bot = await start(folder, url, **more)
    async with asyncio.timeout(60):
        out, err = await bot.communicate(typed.encode())
    assert err == b""
    return bot.returncode, out.decode()


async def test_a_pipe_plays_the_whole_story(agent: FakeAgent, tmp_path: Path) -> None:
    agent.autoplay = "succeeded"
    code, said = await play(tmp_path, agent.url, "/finetune sample name:toast\n1\n")
    assert code == 0
    steps = ["you › /finetune sample", "Reading toast.jsonl", "toast.jsonl · 104 chat rows → toast",
             "[1] Start  [2] Change  [3] See a row", "you › 1", "toast · ", "toast · done", "✓ toast is ready",
             "before: ", "after: ", "Saved in ./hearth-files", "ollama create toast -f Modelfile",
             "ollama run toast", "[1] Chat  [2] Share  [3] Train again"]  # fmt: skip
    positions = [said.find(step) for step in steps]
    assert -1 not in positions
    assert positions == sorted(positions)
    assert positions[0] == 0
    assert "\x1b" not in said
    assert (tmp_path / "hearth-files" / "loss.png").read_bytes() == PNG
    assert (tmp_path / "hearth-files" / "toast.gguf").stat().st_size == 2000
    saved = {path.name for path in (tmp_path / "hearth-files").iterdir()}
    assert saved == {"loss.png", "toast.gguf", "adapter_model.safetensors", "Modelfile", "report.json"}


async def test_a_failed_job_is_exit_code_one(agent: FakeAgent, tmp_path: Path) -> None:
    agent.autoplay = "failed"
    code, said = await play(tmp_path, agent.url, "/finetune sample\n1")
    assert code == 1
    assert "✗ toast did not finish" in said


async def test_a_second_job_never_overwrites_the_files_of_the_first(agent: FakeAgent, tmp_path: Path) -> None:
    agent.autoplay = "succeeded"
    await play(tmp_path, agent.url, "/finetune sample\n1\n")
    await play(tmp_path, agent.url, "/finetune sample\n1\n")
    assert (tmp_path / "hearth-files" / "Modelfile").exists()
    assert (tmp_path / "hearth-files" / "toast-2" / "Modelfile").exists()


async def test_a_dropped_path_is_a_dataset(agent: FakeAgent, tmp_path: Path) -> None:
    (tmp_path / "my rows.jsonl").write_text('{"messages": []}\n')
    for typed in ["'my rows.jsonl'", "my\\ rows.jsonl", "my rows.jsonl", (tmp_path / "my rows.jsonl").as_uri()]:
        _, said = await play(tmp_path, agent.url, f"{typed}\n")
        assert "my rows.jsonl · 104 chat rows → toast" in said


async def test_the_bot_stays_up_without_an_agent(tmp_path: Path) -> None:
    code, said = await play(tmp_path, "http://127.0.0.1:9", "/jobs\n/help\n")
    assert code == 0
    assert "I cannot reach the agent" in said
    assert "/finetune FILE" in said


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("leave", [b"\x04", b"/exit\r"])
async def test_a_person_at_a_terminal_gets_a_prompt_and_leaves(agent: FakeAgent, tmp_path: Path, leave: bytes) -> None:
    keyboard, terminal = os.openpty()
    os.set_blocking(keyboard, False)
    bot = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", stdin=terminal, stdout=terminal, stderr=terminal, cwd=tmp_path,
        env=environment(tmp_path, agent.url, TERM="xterm"), start_new_session=True,
    )  # fmt: skip
    try:
        async with asyncio.timeout(30):
            await _see(keyboard, "you ›")
            os.write(keyboard, b"/models\r")
            await _see(keyboard, "smollm2-135m")
            os.write(keyboard, b"/finetune sample\r")
            await _see(keyboard, "[1] Start")
            os.write(keyboard, b"1\r")
            os.write(keyboard, leave)
            assert await bot.wait() == 0
            assert len(agent.jobs) == 1, "what was typed is done before it leaves"
    finally:
        with suppress(ProcessLookupError):
            bot.kill()
        await bot.wait()
        os.close(keyboard)
        os.close(terminal)


async def _see(terminal: int, text: str) -> None:
    """Read what the screen is sent until the text has come."""
    seen = b""
    while text not in seen.decode("utf-8", "replace"):
        try:
            seen += os.read(terminal, 4096)
        except BlockingIOError:
            await asyncio.sleep(0.02)


async def test_sigterm_ends_it_cleanly(agent: FakeAgent, tmp_path: Path) -> None:
    bot = await start(tmp_path, agent.url)
    assert bot.stdin is not None
    assert bot.stdout is not None
    bot.stdin.write(b"/help\n")
    await bot.stdout.readuntil(b"Try the sample")
    bot.send_signal(signal.SIGTERM)
    async with asyncio.timeout(10):
        _, err = await bot.communicate()
    assert (bot.returncode, err) == (0, b"")


async def test_a_bad_setting_stops_the_start_with_name_value_and_expectation(tmp_path: Path) -> None:
    bot = await start(tmp_path, "my-pc:8420")
    _, err = await bot.communicate(b"")
    assert bot.returncode == 2
    assert err.decode().strip() == (
        "HEARTH_AGENT_URL is 'my-pc:8420'. "
        "Expected: an address such as http://192.168.1.20:8420 or unix:/run/hearth.sock."
    )


async def test_the_address_and_key_files_of_a_local_agent_are_found(agent: FakeAgent, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "agent.address").write_text(agent.url.removeprefix("http://") + "\n")
    (data / "agent.key").write_text(KEY + "\n")
    _, said = await play(tmp_path, "", "/models\n", HEARTH_AGENT_KEY="")
    assert "smollm2-135m" in said


async def test_importing_the_bot_loads_no_ml_library() -> None:
    names = "{'torch', 'transformers', 'peft', 'trl', 'datasets', 'numpy', 'tokenizers', 'agent'}"
    code = f"import sys, bot.__main__, bot.demo; print(sorted({names} & set(sys.modules)))"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=-1, cwd=ROOT)
    out, _ = await process.communicate()
    assert out.strip() == b"[]"


async def test_files_that_cannot_be_saved_end_neither_the_bot_nor_its_other_jobs(
    agent: FakeAgent, tmp_path: Path
) -> None:
    agent.autoplay = "succeeded"
    (tmp_path / "taken").touch()
    code, said = await play(
        tmp_path, agent.url, "/finetune sample\n1\n/finetune sample\n1\n", HEARTH_FILES_DIR="taken/in"
    )
    assert code == 0
    for number in (1, 2):
        assert f"They stay with the agent: /status #{number} files." in " ".join(said.split())
    assert said.count("✓ toast is ready") == 2
    _, said = await play(tmp_path, agent.url, "/help\n")
    assert "✓ toast is ready" not in said  # it counts as told


async def test_details_and_all_files_are_there_to_be_asked_for(agent: FakeAgent, tmp_path: Path) -> None:
    agent.succeed(agent.add_job().id)
    _, said = await play(tmp_path, agent.url, "/status #1 details\n/status #1 files\n")
    for step in [
        "Details · toast",
        "Loss on held-out rows: 2.913 → 1.434",
        "Few rows",
        "Files · toast",
        "- toast.gguf",
    ]:
        assert step in said
