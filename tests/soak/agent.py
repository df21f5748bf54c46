"""kill -9 of a real agent process at random, while people make, pause, resume and cancel jobs."""

import asyncio
import signal
from contextlib import suppress

from agent.job_folder.folder import JobFolder
from agent.store import Store
from shared.jobs import Job
from tests.agent.agent_process import MOMENTS, KilledAgent
from tests.soak.books import all_events, check_books, summary_of
from tests.soak.campaign import Campaign, make_settings
from tests.soak.locks import trainers_at_work, watch_for_two
from tests.soak.people import People, session

MINUTES = 5.0
KILL_S = (0.5, 7.5)  # Nomad's, from half a second on so that some die while they start


def run(campaign: Campaign) -> str:
    """Play it; return what happened."""
    return asyncio.run(_run(campaign))


async def _run(campaign: Campaign) -> str:
    settings = make_settings(campaign.work / "data")
    agent = KilledAgent(settings.hearth_data_dir)
    async with session() as http:
        people = People(campaign, settings.hearth_data_dir, http)
        try:
            kills = await _play(campaign, agent, people)
        except BaseException:
            campaign.tell("the agent's log ends with:\n" + _log(agent))
            raise
        finally:
            agent.kill()
            for folder in settings.jobs_dir.glob("*"):
                (folder / "go").touch()
    store = await Store.open(settings.hearth_data_dir / "hearth.sqlite3")
    try:
        found = await check_books(campaign, store, settings.jobs_dir)
        accepted = sorted(people.accepted.values())
        campaign.promise(sorted(job.id for job in found) == accepted, f"accepted were {accepted}, stored {found}")
        told = [event.id for event in await all_events(store)]
        campaign.promise(people.seen == told[: len(people.seen)], _first_difference(people.seen, told))
        for job in found:
            await _check_lives(campaign, job, agent, store)
    finally:
        await store.close()
    left = trainers_at_work(settings.jobs_dir)
    campaign.promise(not left, f"trainers that were left behind: {left}")
    return f"{kills} kills of the agent, {summary_of(found)}, {len(told)} events"


async def _play(campaign: Campaign, agent: KilledAgent, people: People) -> int:
    agent.start("hold")
    watching = asyncio.create_task(watch_for_two(campaign, agent.data_dir / "jobs"))
    following = asyncio.create_task(people.follow())
    killing = asyncio.create_task(_kill_at_random(campaign, agent))
    try:
        while not killing.done() and not watching.done():
            await people.live()
        if watching.done():
            await watching
        kills = await killing
        await people.bring_home()
        await asyncio.sleep(1.0)  # for the feed's last words
    finally:
        for task in (watching, following, killing):
            task.cancel()
        with suppress(asyncio.CancelledError):
            await watching
    return kills


async def _kill_at_random(campaign: Campaign, agent: KilledAgent) -> int:
    """Kill until the time is up; leave an agent running."""
    kills = 0
    while campaign.has_time(MINUTES):
        await asyncio.sleep(campaign.dice.uniform(*KILL_S))
        assert agent.process is not None
        ended = agent.process.poll()
        campaign.promise(ended in {None, -signal.SIGKILL}, f"the agent ended by itself: exit code {ended}")
        agent.kill()
        kills += 1
        moment = campaign.dice.choice([*MOMENTS, *[None] * 10])
        campaign.tell(f"killed the agent; the next is {f'to die {moment}' if moment else 'to live'}")
        campaign.note(f"{kills} kills")
        agent.start("hold", *[moment] if moment else [])
    agent.kill()
    agent.start("hold")
    return kills


async def _check_lives(campaign: Campaign, job: Job, agent: KilledAgent, store: Store) -> None:
    """A kill of the agent costs no trainer: a job has had one, and one more for each time it was resumed."""
    pids = agent.pids(job.id)
    said = [event.message for event in await all_events(store) if event.job_id == job.id]
    resumed = said.count("Going on where it was paused")
    folder = JobFolder(path=agent.data_dir / "jobs" / job.id)
    campaign.promise(
        len(pids) <= 1 + resumed,
        f"job #{job.number} was resumed {resumed} times and had the trainers {pids}; its events:\n"
        + "\n".join(said)
        + f"\nits trainer's log:\n{folder.log.read_text() if folder.log.exists() else ''}",
    )
    campaign.promise(job.attempt == 1, f"job #{job.number} is at attempt {job.attempt}, and no trainer was killed")
    campaign.promise(job.error is None, f"job #{job.number} failed: {job.error}")


def _first_difference(seen: list[str], told: list[str]) -> str:
    at = next((n for n, pair in enumerate(zip(seen, told, strict=False)) if pair[0] != pair[1]), len(told))
    return f"the feed told {seen[at - 2 : at + 3]} and stored are {told[at - 2 : at + 3]}"


def _log(agent: KilledAgent) -> str:
    path = agent.data_dir / "agent.log"
    return path.read_text(errors="replace")[-3000:] if path.exists() else ""
