"""What happens to a job when something dies, stands still or fills up: injected for real, with real processes."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from filelock import FileLock
from sqlalchemy.orm import Session

from agent.job_folder import Heartbeat
from agent.settings import AgentSettings
from agent.store import Store, running
from agent.store.store import StoreUnavailableError
from agent.trainer_process import AdoptedTrainer, is_trainer_of, lock_is_held, signal_group
from agent.vitals import Limits
from tests.agent.fake_inspector import MODEL
from tests.agent.lives import IMPATIENT, check_trained_once
from tests.agent.running import MACHINE, run_agent

pytestmark = pytest.mark.process

DAY_S = 24 * 3600
GPU = replace(
    MACHINE, device="cuda", name="RTX", gpu="0", memory_total_mib=24_000, memory_free_mib=23_000, ram_free_mib=16_000
)
SILENCE = replace(IMPATIENT, limits=replace(IMPATIENT.limits, budgets=Limits().budgets, first_step=Limits().first_step))


@pytest.mark.parametrize("behaviour", ["once-die", "once-tear", "die-late"])
async def test_killed_trainer_goes_on_from_its_newest_checkpoint(settings: AgentSettings, behaviour: str) -> None:
    async with run_agent(settings, behaviour) as agent:
        job_id = await agent.create()
        await check_trained_once(agent, job_id, lives=2)
        [said] = [message for message in await agent.messages(job_id) if "attempt 2 of 3" in message]
        assert "killed by SIGKILL" in said
        assert "Going on from step 1" in said


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


# --- disk and store


def limit(session: Session, pages: int) -> int:
    """Let the database have no more pages than that, or than it has."""
    return int(session.scalar(sa.text(f"PRAGMA max_page_count={pages}")) or 0)


async def fill(store: Store, job_id: str) -> None:
    """Write until the pages that are there are full."""
    while True:
        await store.run(running.say, job_id, "x", now=0)


async def test_full_disk_pauses_the_job_until_it_is_resumed(settings: AgentSettings) -> None:
    async with run_agent(settings, "once-disk-full") as agent:
        job_id = await agent.create()
        await agent.until_status(job_id, "paused")
        assert (await agent.job(job_id))["paused"] == "disk"
        await agent.act(f"/v1/fine_tuning/jobs/{job_id}/resume")
        await check_trained_once(agent, job_id, lives=2)


async def test_trainer_that_dies_on_a_full_disk_is_not_counted_and_waits_for_room(
    settings: AgentSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with run_agent(settings, "once-die") as agent:
        with monkeypatch.context() as full:
            full.setattr("agent.aftermath.CROWDED_MIB", 1 << 40)  # no disk has as much free
            job_id = await agent.create()
            await agent.until_status(job_id, "paused")
        assert (await agent.job(job_id))["paused"] == "disk"
        assert "MiB free). Free some space, then resume the job." in (await agent.messages(job_id))[-1]
        await agent.act(f"/v1/fine_tuning/jobs/{job_id}/resume")
        await check_trained_once(agent, job_id, lives=2)
        assert (await agent.job(job_id))["attempt"] == 1


async def test_full_store_refuses_new_jobs_in_words_and_loses_no_event(settings: AgentSettings) -> None:
    async with run_agent(settings, "hold") as agent:
        job_id = await agent.create()
        await agent.until_step(job_id)
        file_id = await agent.upload()
        await agent.store.run(limit, 1)  # SQLite keeps what it has, and takes no page more
        refused: dict[str, Any] = {}
        while not refused.get("error"):  # until the pages that are there are full
            body = {"model": MODEL, "training_file": file_id, "metadata": {"note": "x" * 500}}
            async with agent.http.post("/v1/fine_tuning/jobs", json=body) as response:
                refused = await response.json()
        assert refused["error"]["code"] == "insufficient_disk"
        assert "disk is full" in refused["error"]["message"]
        assert (await agent.job(job_id))["status"] == "running"  # reading goes on
        agent.go_on(job_id)
        while lock_is_held(agent.folder(job_id).lock):  # noqa: ASYNC110 - another process sets no Event
            await asyncio.sleep(0.01)
        await agent.store.run(limit, 1_000_000)
        await check_trained_once(agent, job_id, lives=1)


async def test_job_that_was_accepted_before_the_store_was_full_is_validated_when_there_is_room(
    settings: AgentSettings, caplog: pytest.LogCaptureFixture
) -> None:
    async with run_agent(settings) as agent:
        agent.inspector.gate.clear()
        job_id = await agent.create()
        await agent.store.run(limit, 1)
        refused = False
        while not refused:  # until the pages that are there are full
            body = {"model": MODEL, "training_file": (await agent.job(job_id))["training_file"]}
            async with agent.http.post("/v1/fine_tuning/jobs", json=body) as response:
                refused = response.status == 507
        agent.inspector.gate.set()
        while "the database cannot be used" not in caplog.text:  # noqa: ASYNC110 - a log line sets no Event
            await asyncio.sleep(0.01)
        await agent.store.run(limit, 1_000_000)
        await agent.until_status(job_id, "succeeded", "failed")
        assert await agent.status(job_id) == "succeeded"


async def test_store_locked_by_another_program_makes_the_agent_wait_not_fail(settings: AgentSettings) -> None:
    async with run_agent(settings, "hold") as agent:
        job_id = await agent.create()
        await agent.until_step(job_id)
        other = sqlite3.connect(settings.hearth_data_dir / "hearth.sqlite3", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        asked = asyncio.create_task(agent.act(f"/v1/fine_tuning/jobs/{job_id}/pause"))
        done, _ = await asyncio.wait({asked}, timeout=0.5)
        assert not done
        other.execute("ROLLBACK")
        other.close()
        assert (await asked)["pausing"]
        await agent.until_status(job_id, "paused")


async def test_job_that_waits_for_a_full_store_between_two_trainers_is_not_said_to_run(settings: AgentSettings) -> None:
    async with run_agent(settings, "hold", timings=SILENCE) as agent:
        job_id = await agent.create()
        await agent.until_step(job_id)
        await agent.store.run(limit, 1)
        with pytest.raises(StoreUnavailableError):
            await fill(agent.store, job_id)
        [pid] = agent.lives(job_id)
        signal_group(pid, signal.SIGKILL)
        while (job := await agent.job(job_id))["health"] != "silent":
            assert job["status"] == "running"
        assert len(agent.lives(job_id)) == 1
        agent.go_on(job_id)
        await agent.store.run(limit, 1_000_000)
        await check_trained_once(agent, job_id, lives=2)


# --- GPU


async def test_lost_gpu_pauses_the_job_and_the_queue_until_it_is_back(settings: AgentSettings) -> None:
    machines = [GPU]
    async with run_agent(settings, "hold", machine=lambda: machines[-1]) as agent:
        training = await agent.create()
        await agent.until_step(training)
        behind = await agent.create()
        await agent.until_status(behind, "queued")
        machines.append(MACHINE)  # what is read where NVML knows of no GPU
        [pid] = agent.lives(training)
        signal_group(pid, signal.SIGKILL)
        await agent.until_status(training, "paused")
        job = await agent.job(training)
        assert (job["paused"], job["attempt"]) == ("gpu", 1)
        assert "The GPU does not answer any more" in (await agent.messages(training))[-1]
        assert await agent.status(behind) == "queued"
        await agent.act("/v1/agent/resume")  # too soon: it is asked for once more, and nothing fails
        await agent.until_status(training, "paused")
        assert len(agent.lives(training)) == 1
        machines.append(GPU)
        agent.go_on(training)
        await agent.act("/v1/agent/resume")
        await check_trained_once(agent, training, lives=2)
        await agent.until_step(behind)
        agent.go_on(behind)
        await agent.until_status(behind, "succeeded")


async def test_job_planned_for_a_gpu_that_is_lost_before_its_turn_is_not_trained_on_the_cpu(
    settings: AgentSettings,
) -> None:
    machines = [GPU]
    async with run_agent(settings, machine=lambda: machines[-1]) as agent:
        await agent.act("/v1/agent/pause")
        job_id = await agent.create()
        await agent.until_status(job_id, "queued")
        machines.append(MACHINE)
        await agent.act("/v1/agent/resume")
        await agent.until_status(job_id, "paused")
        machines.append(GPU)
        await agent.act("/v1/agent/resume")
        await agent.until_status(job_id, "succeeded")
        assert agent.folder(job_id).read_spec().device == "cuda"


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
