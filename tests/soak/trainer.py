"""SIGKILL for the trainer, hundreds of times: steps rise, three attempts without progress are the end, all end."""

import asyncio
import itertools
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

import psutil

from agent.job_folder.checkpoint_files import list_checkpoints
from agent.job_folder.folder import JobFolder
from shared.jobs import ATTEMPTS, FINISHED
from tests.agent import running_agent
from tests.agent.running_agent import Agent, run_agent
from tests.ended import has_ended
from tests.soak.books import all_jobs, check_books, lines_of, summary_of
from tests.soak.campaign import Campaign, make_settings
from tests.soak.locks import watch_for_two
from tests.soak.long_trainer import INTERVAL, STEPS

LONG_TRAINER = Path(__file__).with_name("long_trainer.py")
KILLS = 300
DELAYS_S = (0.4, 1.5)  # at most, from one kill of a job to the next: a life takes 0.3 s to start and 1 s to train


@dataclass(kw_only=True)
class Torment:
    """What was done to one job."""

    job_id: str
    folder: JobFolder
    reached: list[tuple[int, int]] = field(default_factory=list)  # stages and step on disk, at each death


def run(campaign: Campaign) -> str:
    """Play it; return what happened."""
    return asyncio.run(_run(campaign))


async def _run(campaign: Campaign) -> str:
    settings = make_settings(campaign.work / "data")
    torments: list[Torment] = []
    kills = 0
    importable = patch.dict(os.environ, {"PYTHONPATH": str(LONG_TRAINER.parents[2])})  # for a child of the agent
    with patch.object(running_agent, "FAKE_TRAINER", LONG_TRAINER), importable:
        async with run_agent(settings) as agent:
            watching = asyncio.create_task(watch_for_two(campaign, settings.jobs_dir))
            while kills < KILLS and campaign.has_time() and not watching.done():
                job_id = await agent.create()
                torments.append(Torment(job_id=job_id, folder=agent.folder(job_id)))
                await _torment(campaign, agent, torments[-1], campaign.dice.randint(1, 9))
                kills = sum(len(each.reached) for each in torments)
                campaign.note(f"{kills} kills, {len(torments)} jobs")
            if watching.done():
                await watching
            watching.cancel()
            found = {job.id: job for job in await check_books(campaign, agent.store, settings.jobs_dir)}
            assert len(await all_jobs(agent.store)) == len(torments)
    for torment in torments:
        _check(campaign, torment, found[torment.job_id].status.value, found[torment.job_id].attempt)
    return f"{kills} kills of the trainer, {summary_of(list(found.values()))}"


async def _torment(campaign: Campaign, agent: Agent, torment: Torment, kills: int) -> None:
    """Kill the job's trainers at random moments, `kills` times at most, and see it end."""
    delay_s = campaign.dice.choice(DELAYS_S)
    async with asyncio.timeout(120):
        for _ in range(kills):
            await asyncio.sleep(campaign.dice.uniform(0, delay_s))
            while not (children := _children(torment.folder)):
                if await agent.status(torment.job_id) in FINISHED:
                    return
                await asyncio.sleep(0.005)
            _kill(campaign, torment, children[0])
        await agent.until_status(torment.job_id, *FINISHED)


def _kill(campaign: Campaign, torment: Torment, child: psutil.Process) -> None:
    """Kill one, and note how far the job had come: what follows it needs a while to start."""
    try:
        fetching = "--fetch" in child.cmdline()
        child.kill()
    except psutil.Error:  # it was quicker
        return
    while not has_ended(child):  # once the agent has taken note of its end
        pass
    if fetching and torment.folder.is_fetched():
        return  # it had done its work: no death that counts
    steps = [checkpoint.step for checkpoint in list_checkpoints(torment.folder.checkpoints)]
    torment.reached.append((torment.folder.finished_stages(), steps[-1] if steps else 0))
    campaign.tell(f"{torment.job_id}: killed {child.pid}; finished stages and checkpoint: {torment.reached[-1]}")


def _children(folder: JobFolder) -> list[psutil.Process]:
    found = []
    for child in psutil.Process().children():
        try:
            if str(folder.path) in child.cmdline():
                found.append(child)
        except psutil.Error:
            continue
    return found


def _check(campaign: Campaign, torment: Torment, status: str, attempt: int) -> None:
    name, deaths = torment.job_id, torment.reached
    runs = [len(list(equal)) for _, equal in itertools.groupby(deaths)]
    campaign.promise(status in {"succeeded", "failed"}, f"{name} is {status}")
    campaign.promise(max(runs, default=0) <= ATTEMPTS, f"{name} was tried again without progress: {deaths}")
    campaign.promise(deaths == sorted(deaths), f"{name} went back: {deaths}")
    campaign.promise(1 <= attempt <= ATTEMPTS, f"{name} says it is at attempt {attempt}")
    gave_up = bool(runs) and runs[-1] == ATTEMPTS
    campaign.promise((status == "failed") is gave_up, f"{name} {status}, and its trainers died at {deaths}")
    _check_steps(campaign, torment, succeeded=status == "succeeded")


def _check_steps(campaign: Campaign, torment: Torment, *, succeeded: bool) -> None:
    """Each life begins behind a checkpoint, and no earlier than the newest that was announced."""
    newest, last = 0, 0
    for line in lines_of(torment.folder.events):
        data = json.loads(line)["data"]
        if data["kind"] == "checkpoint":
            newest = data["step"]
        elif data["kind"] == "progress":
            step = data["step"]
            again = newest < step <= newest + INTERVAL + 1 and step % INTERVAL == 1
            campaign.promise(step == last + 1 or again, f"{torment.job_id}: step {step} came after {last}")
            last = step
    campaign.promise(not succeeded or last == STEPS, f"{torment.job_id} succeeded at step {last} of {STEPS}")
