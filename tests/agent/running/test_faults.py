"""What happens to a job when something dies, stands still or lies: injected for real, with real processes."""

import asyncio
import itertools
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from filelock import FileLock

from agent.job_folder.folder import Heartbeat
from agent.running.trainer_process import AdoptedTrainer, is_trainer_of, lock_is_held, signal_group
from agent.settings import AgentSettings
from tests.agent.running.lives import IMPATIENT, SILENCE, check_trained_once
from tests.agent.running_agent import run_agent

pytestmark = pytest.mark.process

DAY_S = 24 * 3600


@pytest.mark.parametrize("behaviour", ["once-die", "once-tear", "die-late"])
async def test_killed_trainer_goes_on_from_its_newest_checkpoint(settings: AgentSettings, behaviour: str) -> None:
    async with run_agent(settings, behaviour) as agent:
        job_id = await agent.create()
        await check_trained_once(agent, job_id, lives=2)
        [said] = [message for message in await agent.messages(job_id) if "attempt 2 of 3" in message]
        assert "killed by SIGKILL" in said
        assert "Going on from step 1" in said


class Rising:
    """The counters of a kernel that has ended one process more each time that somebody looks."""

    def __init__(self) -> None:
        self._looks = itertools.count()

    def read_text(self, encoding: str) -> str:
        del encoding
        return f"pgfault 3\noom_kill {next(self._looks)}\n"


async def test_one_that_linux_ended_for_want_of_memory_goes_on_with_less_and_costs_no_attempt(
    settings: AgentSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.machine.oom_kills.VMSTAT", Rising())
    async with run_agent(settings, "once-die") as agent:
        job_id = await agent.create()
        await check_trained_once(agent, job_id, lives=2)
        said = [message for message in await agent.messages(job_id) if "The memory was not enough to train" in message]
        assert len(said) == 1
        assert "rows at a time in place of" in said[0]
        assert said[0].endswith("It goes on from step 1.")
        assert (await agent.job(job_id))["attempt"] == 1
        assert agent.folder(job_id).read_spec().revision == 1


async def test_poison_job_ends_at_the_third_attempt_and_the_queue_moves_on(settings: AgentSettings) -> None:
    async with run_agent(settings, "die") as agent:
        poison, following = await agent.create(), await agent.create()
        await agent.until_status(poison, "failed")
        assert len(agent.lives(poison)) == 3
        job = await agent.job(poison)
        assert job["error"]["code"] == "trainer_died"
        [adapter] = job["result_files"]
        assert (await agent.openai.files.content(adapter)).content[:2] == b"PK"  # what was learned is handed out
        await agent.until_status(following, "failed")


async def test_switched_off_machine_costs_no_attempt_and_is_said(settings: AgentSettings) -> None:
    async with run_agent(settings, "hold", boot=lambda: "before") as agent:
        job_id = await agent.create()
        await agent.until_step(job_id)
    [pid] = agent.lives(job_id)
    signal_group(pid, signal.SIGKILL)
    while lock_is_held(agent.folder(job_id).lock):  # noqa: ASYNC110 - another process sets no Event
        await asyncio.sleep(0.01)
    async with run_agent(settings, boot=lambda: "after") as agent:
        await check_trained_once(agent, job_id, lives=2)
        assert (await agent.job(job_id))["attempt"] == 1
        assert "The machine was off. Going on from step 1, attempt 1 of 3." in await agent.messages(job_id)


@pytest.mark.parametrize(("behaviour", "timings", "said"), [
    ("once-freeze", SILENCE, "no sign of life for"),
    ("once-stall", IMPATIENT, "Nothing has moved for"),
])  # fmt: skip
async def test_trainer_that_stands_still_is_named_then_started_again(
    settings: AgentSettings, behaviour: str, timings: Any, said: str
) -> None:
    async with run_agent(settings, behaviour, timings=timings) as agent:
        job_id = await agent.create()
        await check_trained_once(agent, job_id, lives=2)
        messages = await agent.messages(job_id)
        named = next(at for at, message in enumerate(messages) if said in message)
        acted = next(at for at, message in enumerate(messages) if "stood still and was ended" in message)
        assert named < acted


async def test_job_says_how_old_the_last_proof_of_life_is(settings: AgentSettings) -> None:
    async with run_agent(settings, "hold") as agent:
        job_id = await agent.create()
        await agent.until_step(job_id)
        [pid] = agent.lives(job_id)
        signal_group(pid, signal.SIGSTOP)
        try:
            job = await agent.job(job_id)
            while job["proof_age_s"] < 1:
                job = await agent.job(job_id)
            assert job["health"] == "well"  # a second is nothing; two minutes would be
        finally:
            signal_group(pid, signal.SIGCONT)
        agent.go_on(job_id)
        await agent.until_status(job_id, "succeeded")
        assert (await agent.job(job_id))["proof_age_s"] is None


# --- clocks and pids


@pytest.mark.parametrize("jump_s", [DAY_S, -DAY_S])
async def test_clock_that_jumps_a_day_harms_no_job(settings: AgentSettings, jump_s: int) -> None:
    ahead = [0.0]
    async with run_agent(settings, "hold", clock=lambda: 1_800_000_000 + ahead[0]) as agent:
        job_id = await agent.create()
        await agent.until_step(job_id)
        ahead[0] = jump_s
        job = await agent.job(job_id)
        assert (job["status"], job["health"]) == ("running", "well")
        agent.go_on(job_id)
        await check_trained_once(agent, job_id, lives=1)


async def test_job_asked_for_a_later_time_starts_then_and_not_before(settings: AgentSettings) -> None:
    now = [1_800_000_000.0]
    async with run_agent(settings, clock=lambda: now[0]) as agent:
        evening = await agent.create(start_at=1_800_000_000 + 3600)
        await agent.until_status(evening, "queued")
        at_once = await agent.create()
        await agent.until_status(at_once, "succeeded")
        assert (await agent.job(evening))["estimated_start"] == 1_800_003_600
    now[0] += DAY_S  # the machine slept through it
    async with run_agent(settings, clock=lambda: now[0]) as agent:
        await agent.until_status(evening, "succeeded")
        assert (await agent.job(evening))["started_at"] == 1_800_000_000 + DAY_S


@pytest.fixture
def stranger() -> Iterator[int]:
    """Run a process that has nothing to do with us; give its pid."""
    process = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    yield process.pid
    assert process.poll() is None
    assert process.stdin is not None
    process.stdin.close()
    process.wait()


async def test_forged_or_reused_pid_is_never_signalled(settings: AgentSettings, stranger: int) -> None:
    async with run_agent(settings, "hold") as agent:
        job_id = await agent.create()
        await agent.until_step(job_id)
        folder = agent.folder(job_id)
        [pid] = agent.lives(job_id)
        assert is_trainer_of(folder, pid)
        forged = folder.path / "forged"
        forged.mkdir()
        heartbeat = folder.read_heartbeat()
        assert heartbeat is not None
        lying = replace(folder, path=forged)
        lying.heartbeat.write_text(heartbeat.model_copy(update={"pid": stranger}).model_dump_json())
        assert Heartbeat.model_validate_json(lying.heartbeat.read_bytes()).pid == stranger
        assert not is_trainer_of(lying, stranger)
        with FileLock(lying.lock):  # alive, by its lock; the pid beside it is a stranger's
            assert AdoptedTrainer(lying).alive()
            AdoptedTrainer(lying).signal(signal.SIGKILL)
        agent.go_on(job_id)
        await check_trained_once(agent, job_id, lives=1)
