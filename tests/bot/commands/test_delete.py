"""/delete: what a job left on the agent's machine goes, once that was said twice."""

import pytest

from shared.jobs import JobStatus
from tests.bot.harness import Bot, dataset
from tests.fakes.agent_server import FakeAgent


@pytest.fixture
async def done(agent: FakeAgent, bot: Bot) -> Bot:
    """A bot, a dataset, and job #1, which has left files."""
    await bot.say("/dataset", dataset())
    agent.succeed(agent.add_job(status=JobStatus.running).id)
    return bot


async def test_delete_asks_once_and_then_removes_results_and_nothing_else(agent: FakeAgent, done: Bot) -> None:
    results = set(agent.jobs["ftjob-1"].result_files)
    question = await done.say("/delete #1")
    assert question.text.startswith(f"Delete the {len(results)} files that #1 toast left")
    assert results < set(agent.files)
    reply = await done.press("Yes, delete")
    assert reply.text.startswith(f"Deleted: {len(results)} files of #1 toast")
    assert results.isdisjoint(agent.files)
    assert len(agent.files) == 1  # the dataset
    assert "has no files" in (await done.say("/delete #1")).text


async def test_files_are_kept_by_the_other_button(agent: FakeAgent, done: Bot) -> None:
    await done.say("/delete #1")
    assert (await done.press("Keep them")).text == "#1 toast keeps its files."
    assert set(agent.jobs["ftjob-1"].result_files) < set(agent.files)


async def test_what_cannot_be_deleted_says_why(agent: FakeAgent, done: Bot) -> None:
    assert "Of which job?" in (await done.say("/delete")).text
    agent.add_job(status=JobStatus.running)
    assert "has not ended" in (await done.say("/delete #2")).text
    assert "There is no job" in (await done.say("/delete #9 yes")).text
