"""Jobs run as real processes: to their end, to a cancel, to a crash."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from agent.running.trainer_process import lock_is_held
from agent.running.trainer_watch import Timings
from agent.scheduling.queue import PATIENCE_S
from agent.settings import AgentSettings
from agent.store import running_jobs
from tests.agent.fake_inspector import MODEL
from tests.agent.running_agent import HUB_MODEL, MACHINE, Agent, run_agent

pytestmark = pytest.mark.process

SECRET = "hf_secret"
TURNS_S = 3 * Timings().poll_s  # in which what is due is seen and done


async def cancel(agent: Agent, job_id: str) -> None:
    await agent.act(f"/v1/fine_tuning/jobs/{job_id}/cancel")


class Standing:
    """A clock that goes forward where a test says so."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


async def looked(agent: Agent, times: int = 3) -> None:
    """Wait until the supervisor has looked so often at its trainer since now: at least one whole turn lies between."""
    store = agent.supervisor._store
    ask, seen, done = store.run, 0, asyncio.Event()

    async def run(func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        nonlocal seen
        seen += func is running_jobs.look
        if seen >= times:
            done.set()
        return await ask(func, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "run", run)
        async with asyncio.timeout(30):
            await done.wait()


async def create_slow_and_quick(agent: Agent) -> tuple[str, str]:
    """Create a job that is validated until the gate opens, and one behind it that has its plan."""
    body = {"model": MODEL, "training_file": await agent.upload()}
    async with agent.http.post("/v1/fine_tuning/plans", json=body) as response:
        plan = (await response.json())["id"]
    agent.inspector.gate.clear()
    slow = await agent.create()
    async with agent.http.post("/v1/fine_tuning/jobs", json={"plan": plan}) as response:
        return slow, (await response.json())["id"]


async def test_one_job_runs_and_the_next_follows(settings: AgentSettings) -> None:
    async with run_agent(settings, "hold") as agent:
        first, second = await agent.create(), await agent.create()
        await agent.until_step(first)
        await agent.until_status(second, "queued")
        assert (await agent.job(second))["queue_position"] == 1
        agent.go_on(first)
        await agent.until_status(first, "succeeded")
        await agent.until_step(second)
        agent.go_on(second)
        await agent.until_status(second, "succeeded")
        assert (await agent.job(second))["fine_tuned_model"] == "toast:v2"


async def test_running_job_shows_its_vitals(settings: AgentSettings) -> None:
    async with run_agent(settings, "hold") as agent:
        job_id = await agent.create()
        await agent.until_step(job_id)
        job = await agent.job(job_id)
        assert (job["stage"], job["progress"]["loss"], job["progress"]["tokens_per_s"]) == ("train", 2.5, 200.0)
        assert job["estimated_finish"] is not None


async def test_cancelled_trainer_is_asked_and_what_it_made_is_kept(settings: AgentSettings) -> None:
    async with run_agent(settings, "hold") as agent:
        job_id = await agent.create()
        await agent.until_step(job_id)
        await cancel(agent, job_id)
        await agent.until_status(job_id, "cancelled")
        job = await agent.job(job_id)
        [result] = job["result_files"]
        assert (await agent.openai.files.retrieve(result)).filename == "adapter.safetensors"
        assert (await agent.openai.files.content(result)).content == b"weights"


async def test_trainer_deaf_to_everything_is_killed_and_the_job_is_cancelled(settings: AgentSettings) -> None:
    async with run_agent(settings, "deaf") as agent:
        job_id = await agent.create()
        await agent.until_step(job_id)
        await cancel(agent, job_id)
        await agent.until_status(job_id, "cancelled")
        assert not lock_is_held(agent.folder(job_id).lock)
        checkpoints = await agent.openai.fine_tuning.jobs.checkpoints.list(job_id)
        assert [point.step_number for point in checkpoints.data] == [1]
        newest = (await agent.openai.fine_tuning.jobs.list_events(job_id, limit=1)).data[0]
        assert "1 checkpoint" in newest.message


@pytest.mark.parametrize("wish", ["cancel", "pause"])
async def test_trainer_deaf_to_all_but_signals_has_a_while_to_leave_by_itself(
    settings: AgentSettings, wish: str
) -> None:
    clock = Standing()
    async with run_agent(settings, "hard-of-hearing", timings=Timings(), monotonic=clock) as agent:
        job_id = await agent.create()
        await agent.until_step(job_id)
        await agent.act(f"/v1/fine_tuning/jobs/{job_id}/{wish}")
        await looked(agent)
        clock.now_s += 5
        await looked(agent)
        assert lock_is_held(agent.folder(job_id).lock)


async def test_a_cancel_is_a_word_first_then_sigterm_and_sigkill_last(settings: AgentSettings) -> None:
    clock = Standing()
    async with run_agent(settings, "hard-of-hearing", timings=Timings(), monotonic=clock) as agent:
        job_id = await agent.create()
        await agent.until_step(job_id)
        await cancel(agent, job_id)
        await looked(agent)
        clock.now_s += 8
        await agent.until_status(job_id, "cancelled")


async def test_a_cancel_takes_less_than_ten_seconds_also_where_it_is_not_heard(settings: AgentSettings) -> None:
    clock = Standing()
    async with run_agent(settings, "deaf", timings=Timings(), monotonic=clock) as agent:
        job_id = await agent.create()
        await agent.until_step(job_id)
        await cancel(agent, job_id)
        await looked(agent)
        clock.now_s += 10 - TURNS_S
        await agent.until_status(job_id, "cancelled")


async def test_a_pause_frees_the_memory_within_thirty_seconds_also_where_it_is_not_heard(
    settings: AgentSettings,
) -> None:
    clock = Standing()
    async with run_agent(settings, "deaf", timings=Timings(), monotonic=clock) as agent:
        job_id = await agent.create()
        await agent.until_step(job_id)
        await agent.act(f"/v1/fine_tuning/jobs/{job_id}/pause")
        await looked(agent)
        clock.now_s += 30 - TURNS_S
        await agent.until_status(job_id, "paused")
        assert not lock_is_held(agent.folder(job_id).lock)


async def test_trainer_killed_ends_the_job_with_its_signal_and_last_line(settings: AgentSettings) -> None:
    async with run_agent(settings, "die") as agent:
        job_id = await agent.create()
        await agent.until_status(job_id, "failed")
        error = (await agent.job(job_id))["error"]
        assert error["code"] == "trainer_died"
        assert "SIGKILL" in error["message"]
        assert "attempt 3 of 3" in error["message"]
        assert "RuntimeError: the card fell out" in error["message"]
        assert "Traceback" not in error["message"]
        assert "the newest at step 1" in error["message"]


async def test_trainer_that_says_why_it_failed_is_quoted(settings: AgentSettings) -> None:
    async with run_agent(settings, "fail") as agent:
        job_id = await agent.create()
        await agent.until_status(job_id, "failed")
        assert (await agent.job(job_id))["error"]["code"] == "training_diverged"


async def test_trainer_that_writes_nonsense_is_stopped(settings: AgentSettings) -> None:
    async with run_agent(settings, "babble") as agent:
        job_id = await agent.create()
        await agent.until_status(job_id, "failed")
        assert (await agent.job(job_id))["error"]["code"] == "trainer_died"
        next_job = await agent.create()
        await agent.until_status(next_job, "failed")


async def test_fetch_that_dies_fails_the_job_before_training(settings: AgentSettings) -> None:
    async with run_agent(settings, "fetch-dies") as agent:
        job_id = await agent.create()
        await agent.until_status(job_id, "failed")
        message = (await agent.job(job_id))["error"]["message"]
        assert "could not be fetched" in message
        assert "no route to the hub" in message


async def test_job_folder_that_cannot_be_made_fails_its_job_and_no_other(settings: AgentSettings) -> None:
    async with run_agent(settings, works=True) as agent:
        agent.inspector.gate.clear()
        job_id = await agent.create()
        agent.folder(job_id).path.write_text("in the way")
        agent.inspector.gate.set()
        await agent.until_status(job_id, "failed")
        agent.folder(job_id).path.unlink()
        following = await agent.create()
        await agent.until_status(following, "succeeded")


async def test_job_without_disk_left_is_failed_instead_of_started(settings: AgentSettings) -> None:
    machines = [MACHINE]
    async with run_agent(settings, machine=lambda: machines[-1]) as agent:
        body = {"model": MODEL, "training_file": await agent.upload()}
        async with agent.http.post("/v1/fine_tuning/plans", json=body) as response:
            plan = (await response.json())["id"]
        machines.append(replace(MACHINE, disk_free_mib=7))
        async with agent.http.post("/v1/fine_tuning/jobs", json={"plan": plan}) as response:
            refused = (await response.json())["id"]
        await agent.until_status(refused, "failed")
        error = (await agent.job(refused))["error"]
        assert error["code"] == "insufficient_disk"
        assert re.search(r"needs at least \d+ MiB of disk; 7 MiB are free", error["message"])
        assert not agent.folder(refused).path.exists()


async def test_job_still_validated_goes_before_one_that_was_quick(settings: AgentSettings) -> None:
    async with run_agent(settings) as agent:
        slow, quick = await create_slow_and_quick(agent)
        assert await agent.status(quick) == "queued"
        agent.inspector.gate.set()
        await agent.until_status(quick, "succeeded")
        assert (await agent.job(slow))["finished_at"] <= (await agent.job(quick))["started_at"]


async def test_job_validated_too_long_is_overtaken_without_further_news(settings: AgentSettings) -> None:
    async with run_agent(settings, supervisor_ahead_s=PATIENCE_S - 1) as agent:
        slow, quick = await create_slow_and_quick(agent)
        await agent.until_status(quick, "succeeded")
        assert await agent.status(slow) == "validating_files"


@pytest.mark.parametrize(("model", "online"), [(HUB_MODEL, True), (MODEL, False)])
async def test_secrets_reach_the_child_alone_that_fetches_from_the_hub(
    settings: AgentSettings, monkeypatch: pytest.MonkeyPatch, model: str, online: bool
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "d")
    monkeypatch.setenv("HF_TOKEN", SECRET)
    with_token = AgentSettings.model_validate(settings.model_dump() | {"hf_token": SECRET})
    async with run_agent(with_token) as agent:
        job_id = await agent.create(model=model)
        await agent.until_status(job_id, "succeeded")
        folder = agent.folder(job_id).path
        fetch = (folder / "environment-fetch").read_text().splitlines()
        train = (folder / "environment-train").read_text().splitlines()
    assert ("HF_TOKEN" in fetch, "HF_HUB_OFFLINE" in fetch) == (online, not online)
    assert "HF_TOKEN" not in train
    assert {"HF_HUB_OFFLINE", "OMP_NUM_THREADS"} <= set(train)
    assert "DISCORD_TOKEN" not in {*fetch, *train}


async def test_the_hand_over_is_a_child_of_its_own_and_costs_no_attempt(settings: AgentSettings) -> None:
    async with run_agent(settings, "in-phases") as agent:
        job_id = await agent.create()
        await agent.until_status(job_id, "succeeded", "failed")
        assert await agent.status(job_id) == "succeeded"
        concluded = (agent.folder(job_id).path / "concluded").read_text().split()
        assert len(concluded) == len(agent.lives(job_id)) == 1
        assert concluded != [str(pid) for pid in agent.lives(job_id)]
        assert not [message for message in await agent.messages(job_id) if "attempt" in message]
