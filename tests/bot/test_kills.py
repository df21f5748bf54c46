"""`kill -9` of a real bot process at a moment that a gate of the agent holds; then the next bot goes on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.bot.terminal_ui.test_story import play, start
from tests.fakes.agent_server import FakeAgent, Gate

pytestmark = pytest.mark.process

ASKED = b"/finetune sample name:toast\n"


@asynccontextmanager
async def killed_at(gate: Gate, agent: FakeAgent, folder: Path, typed: bytes) -> AsyncIterator[bytes]:
    """Run a bot until it waits at the gate, kill it, and yield what it had shown. Then the gate opens."""
    bot = await start(folder, agent.url)
    assert bot.stdin is not None
    assert bot.stdout is not None
    async with asyncio.timeout(60):
        bot.stdin.write(typed)
        await gate.reached.wait()
        bot.kill()
        shown = await bot.stdout.read()
        await bot.wait()
    bot._transport.close()  # type: ignore[attr-defined]
    gate.open.set()
    agent.gates.remove(gate)
    yield shown


async def test_killed_after_the_first_word_and_before_the_agent_was_asked(agent: FakeAgent, tmp_path: Path) -> None:
    agent.autoplay = "succeeded"
    gate = agent.gate("POST", "/v1/files")
    async with killed_at(gate, agent, tmp_path, ASKED) as shown:
        assert b"Reading toast.jsonl" in shown
        assert not agent.files
    code, said = await play(tmp_path, agent.url, "1\n")  # Start, of the plan that the next bot shows by itself
    assert code == 0
    assert (len(agent.plans), len(agent.jobs)) == (1, 1)
    assert said.count("→ toast") == said.count(" is ready ·") == 1


async def test_a_file_is_read_again_by_its_path(agent: FakeAgent, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"messages": []}\n')
    gate = agent.gate("POST", "/v1/files")
    async with killed_at(gate, agent, tmp_path, b"/finetune rows.jsonl name:mia\n"):
        pass
    _, said = await play(tmp_path, agent.url, "")
    assert "rows.jsonl · " in said
    assert agent.plan_requests[0].suffix == "mia"


async def test_a_file_that_is_gone_meanwhile_is_said(agent: FakeAgent, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"messages": []}\n')
    gate = agent.gate("POST", "/v1/files")
    async with killed_at(gate, agent, tmp_path, b"/finetune rows.jsonl\n"):
        (tmp_path / "rows.jsonl").unlink()
    _, said = await play(tmp_path, agent.url, "")
    assert "There is no file" in said
    _, said = await play(tmp_path, agent.url, "")
    assert said == ""


@pytest.mark.parametrize(
    ("method", "path", "committed"),
    [
        ("POST", "/v1/fine_tuning/jobs", False),  # before the job was made
        ("POST", "/v1/fine_tuning/jobs", True),  # made, and the answer did not arrive
        ("GET", "/v1/fine_tuning/jobs/ftjob-1", False),  # known, and the card not written down
    ],
)
async def test_killed_around_a_start_makes_one_job_with_one_card_and_one_result(
    agent: FakeAgent, tmp_path: Path, method: str, path: str, *, committed: bool
) -> None:
    gate = agent.gate(method, path, committed=committed)
    async with killed_at(gate, agent, tmp_path, ASKED + b"1\n"):
        agent.autoplay = "succeeded"
    if agent.jobs:
        agent.succeed("ftjob-1")
    code, said = await play(tmp_path, agent.url, "")
    assert code == 0
    assert len(agent.jobs) == len(agent.plans) == 1
    assert said.count("toast · done") == said.count(" is ready ·") == 1


@pytest.mark.parametrize("path", ["/v1/fine_tuning/jobs/ftjob-1/plot.png", "/v1/files/{gguf}/content"])
async def test_killed_around_a_delivery_the_result_is_told_once_by_the_next_bot(
    agent: FakeAgent, tmp_path: Path, path: str
) -> None:
    await started(agent, tmp_path)
    agent.succeed("ftjob-1")
    gguf = agent.jobs["ftjob-1"].result_files[0]
    gate = agent.gate("GET", path.format(gguf=gguf))
    async with killed_at(gate, agent, tmp_path, b"") as shown:
        assert b" is ready " not in shown
    _, said = await play(tmp_path, agent.url, "")
    assert said.count(" is ready ·") == 1
    assert "toast-1" not in said  # saved where the killed bot had begun
    assert (tmp_path / "hearth-files" / "toast.gguf").stat().st_size == 2000
    assert (await play(tmp_path, agent.url, ""))[1] == ""


@pytest.mark.parametrize(("kills", "told"), [(1, 1), (2, 0)])
async def test_after_kills_in_the_middle_of_deliveries_the_result_is_never_lost(
    agent: FakeAgent, tmp_path: Path, kills: int, told: int
) -> None:
    await started(agent, tmp_path)
    agent.succeed("ftjob-1")
    modelfile = agent.jobs["ftjob-1"].result_files[2]
    for _ in range(kills):
        async with killed_at(agent.gate("GET", f"/v1/files/{modelfile}/content"), agent, tmp_path, b""):
            pass
    _, said = await play(tmp_path, agent.url, "")
    assert said.count(" is ready ·") == told
    assert " ".join(said.split()).count("If you have not seen the result: /status #1") == 1 - told
    _, said = await play(tmp_path, agent.url, "/status #1\n")
    assert said.count(" is ready ·") == 1


async def test_killed_before_a_cancel_was_relayed_the_job_is_cancelled_all_the_same(
    agent: FakeAgent, tmp_path: Path
) -> None:
    agent.step(agent.add_job().id, 5)
    gate = agent.gate("POST", "/v1/fine_tuning/jobs/ftjob-1/cancel")
    async with killed_at(gate, agent, tmp_path, b"/cancel #1 yes\n"):
        assert agent.jobs["ftjob-1"].status == "running"
    _, said = await play(tmp_path, agent.url, "")
    assert "Stopping #1 toast" in said
    assert agent.jobs["ftjob-1"].status == "cancelled"


async def started(agent: FakeAgent, folder: Path) -> None:
    """Start a job with a bot that is killed once its card was written down."""
    bot = await start(folder, agent.url)
    assert bot.stdin is not None
    assert bot.stdout is not None
    async with asyncio.timeout(60):
        bot.stdin.write(ASKED + b"1\n/help\n")
        await bot.stdout.readuntil(b"Try the sample")  # answered in turn: the card before it is written down
        bot.kill()
        await bot.stdout.read()
        await bot.wait()
    bot._transport.close()  # type: ignore[attr-defined]
