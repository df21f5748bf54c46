"""Another program holds the database: for ten seconds, which is waited for, and for longer than anybody waits."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from agent.running.trainer_process import lock_is_held
from agent.store.store import BUSY_S
from tests.agent.fake_inspector import MODEL
from tests.agent.running_agent import Agent, run_agent
from tests.soak.books import check_books, summary_of
from tests.soak.campaign import Campaign, make_settings

HELD_S = (10.0, BUSY_S + 10)


def run(campaign: Campaign) -> str:
    """Play it; return what happened."""
    return asyncio.run(_run(campaign))


async def _run(campaign: Campaign) -> str:
    settings = make_settings(campaign.work / "data")
    database = settings.hearth_data_dir / "hearth.sqlite3"
    async with run_agent(settings, "hold") as agent:
        for held_s in HELD_S:
            await _round(campaign, agent, database, held_s)
        found = await check_books(campaign, agent.store, settings.jobs_dir)
    campaign.promise(all(job.status == "succeeded" for job in found), f"not all succeeded: {summary_of(found)}")
    return f"held for {' and '.join(f'{held_s:.0f} s' for held_s in HELD_S)}, {summary_of(found)}"


async def _round(campaign: Campaign, agent: Agent, database: Path, held_s: float) -> None:
    """A job ends and another is asked for while the database is held; both are there later, or refused in words."""
    job_id = await agent.create()
    file_id = await agent.upload()
    await agent.until_step(job_id)
    async with _held(database):
        campaign.tell(f"held for {held_s} s")
        agent.go_on(job_id)
        asked = asyncio.create_task(_ask(agent, file_id))
        await asyncio.sleep(held_s)
        campaign.promise(not lock_is_held(agent.folder(job_id).lock), "the trainer waited for the database")
        campaign.promise(asked.done() == (held_s > BUSY_S), "a request waits as long as the database says, no longer")
    status, answer = await asked
    campaign.tell(f"the request was answered with {status}: {answer[:200]}")
    in_words = status == 503 and "store_unavailable" in answer
    campaign.promise(status == 200 if held_s < BUSY_S else in_words, f"the request got {status}: {answer}")
    await agent.until_status(job_id, "succeeded", "failed")
    if status == 200:
        following = (await agent.openai.fine_tuning.jobs.list(limit=1)).data[0].id
        await agent.until_step(following)
        agent.go_on(following)
        await agent.until_status(following, "succeeded", "failed")


async def _ask(agent: Agent, file_id: str) -> tuple[int, str]:
    async with agent.http.post("/v1/fine_tuning/jobs", json={"model": MODEL, "training_file": file_id}) as response:
        return response.status, await response.text()


@asynccontextmanager
async def _held(database: Path) -> AsyncIterator[None]:
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()
