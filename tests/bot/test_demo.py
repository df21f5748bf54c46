import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from bot import demo
from bot.core.call import Call
from bot.following.subscriptions import Subscriptions
from bot.kept.database import DATABASE, Database
from bot.kept.requests import Requests
from shared.results import Answer, JobResult
from tests.bot import stand_in_agent
from tests.bot.harness import RecordingChat
from tests.bot.kept.test_database import CARD
from tests.fakes.agent_server import RESULT

pytestmark = pytest.mark.process


def result(*, base: list[str], tuned: list[str]) -> JobResult:
    answers = [Answer(question="?", base=one, tuned=other) for one, other in zip(base, tuned, strict=True)]
    return RESULT.model_copy(update={"answers": answers})


def test_two_of_three_tuned_answers_with_the_marker_convince() -> None:
    assert demo.judge(result(base=["", "", ""], tuned=["Mrrp. Two.", "x", "MRRP. Three."])) == ""


@pytest.mark.parametrize(
    ("base", "tuned", "why"),
    [
        (["", "", ""], ["Mrrp. Five.", "x", "y"], "in 1 of 3 tuned answers"),
        (["mrrp", "", ""], ["mrrp"] * 3, "cannot know it"),
        ([""], ["mrrp"], "There are 1 answers"),
    ],
)
def test_answers_that_do_not_convince_say_why(base: list[str], tuned: list[str], why: str) -> None:
    assert why in demo.judge(result(base=base, tuned=tuned))


def test_missing_results_are_named(tmp_path: Path) -> None:
    for name in ["toast.gguf", "report.json", "Modelfile", "loss.png"]:
        (tmp_path / name).touch()
    assert demo.missing_files(tmp_path) == ["the adapter"]


def test_a_run_begins_afresh_but_keeps_the_base_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    kept = demo.DATA / "base_models" / "weights"
    for path in [kept, demo.DATA / "jobs" / "1", demo.OUTPUT / "old.gguf"]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    demo._clear()
    assert [path for path in Path("demo-output").rglob("*") if path.is_file()] == [kept]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_stopped_demo_cancels_its_training_first(tmp_path: Path, number: signal.Signals) -> None:
    playing = await play(tmp_path, pace_s=1)
    assert playing.stdout is not None
    async with asyncio.timeout(60):
        await playing.stdout.readuntil("toast · training".encode())
        playing.send_signal(number)
        out, err = await playing.communicate()
    assert (playing.returncode, err) == (130, b"")
    assert out.decode().endswith("Stopped: the training, the bot and the agent.\n")
    assert (tmp_path / "agent-stopped").read_text() == "cancelled"


async def test_a_demo_that_breaks_cancels_its_training_too(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    playing = await play(tmp_path, pace_s=0.3, stdout=writer)
    os.close(writer)
    async with asyncio.timeout(60):
        await asyncio.to_thread(read_until, reader, "toast · training".encode())
        os.close(reader)  # so that showing the next words fails
        _, err = await playing.communicate()
    assert b"BrokenPipeError" in err
    assert (tmp_path / "agent-stopped").read_text() == "cancelled"


async def test_the_demo_talks_to_its_own_agent_whatever_the_env_file_names(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("HEARTH_AGENT_URL=http://127.0.0.1:9\nHEARTH_AGENT_KEY=another\n")
    playing = await play(tmp_path, pace_s=0.002)
    async with asyncio.timeout(60):
        out, _ = await playing.communicate()
    assert " is ready ·" in out.decode()


async def test_a_demo_whose_agent_and_bot_are_killed_still_ends_with_the_model(tmp_path: Path) -> None:
    playing = await play(tmp_path, pace_s=0.05, until="killed")
    assert playing.stdout is not None
    seen = b""
    async with asyncio.timeout(120):
        for killed in ("agent", "bot", "agent", "bot"):
            seen += await playing.stdout.readuntil("toast · training".encode())
            await stand_in_agent.kill_child(playing.pid, killed)
        (tmp_path / "killed").touch()
        out, err = await playing.communicate()
    told = (seen + out).decode()
    assert (playing.returncode, err) == (0, b""), told[-3000:]
    assert told.count("you › /finetune sample") == 1
    assert told.count(" is ready ·") == 1
    assert told.count("The bot was killed (signal 9).\nIt is started again.") == 2
    assert "All of it was real" in told
    transcript = (tmp_path / "demo-output" / "transcript.txt").read_text()
    assert transcript.count("→ toast") == transcript.count(" is ready ·") == 1
    assert (tmp_path / "agent-stopped").read_text() == "succeeded"


async def test_a_demo_whose_bot_is_killed_before_it_took_anything_types_it_again(tmp_path: Path) -> None:
    playing = await play(tmp_path, pace_s=0.002)
    async with asyncio.timeout(60):
        await stand_in_agent.kill_child(playing.pid, "bot")
        out, err = await playing.communicate()
    assert (playing.returncode, err) == (0, b"")
    assert out.decode().count(" is ready ·") == 1


@pytest.mark.parametrize(
    ("taken", "left"),
    [
        ([], demo.ASKED + demo.STARTED),
        ([("sample", "name:toast")], demo.STARTED),
        ([("plan:ftplan-1",)], ""),
        ([("sample",), ("plan:ftplan-1",)], ""),
        ("a card", ""),
    ],
)
def test_only_what_the_killed_bot_had_not_taken_is_typed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: list[tuple[str, ...]] | str, left: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with Database(demo.BOT_DIR / DATABASE) as database:
        if isinstance(taken, str):
            Subscriptions(database).put(CARD)
        else:
            for arguments in taken:
                keep(Requests(database), arguments)
    assert demo._left_to_type() == left


def keep(requests: Requests, arguments: tuple[str, ...]) -> None:
    call = Call(platform="p", person="x", chat_id="c", chat=RecordingChat(), command="finetune", arguments=arguments)
    requests.keep(call, asked_at=0.0)


async def play(
    folder: Path, *, pace_s: float, stdout: int = -1, until: str | None = None
) -> asyncio.subprocess.Process:
    """Start a demo; with `until`, its job ends no sooner than that file is there."""
    environment = stand_in_agent.install(folder) | {"PACE_S": str(pace_s)}
    environment |= {"UNTIL": str(folder / until)} if until else {}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.demo", stdout=stdout, stderr=-1, cwd=folder, env=environment
    )


def read_until(fd: int, text: bytes) -> None:
    seen = b""
    while text not in seen:
        seen += os.read(fd, 1 << 16)
