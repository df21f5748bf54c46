"""/share: a picture to post, of what was agreed to and nothing else."""

import pytest

from shared.jobs import JobStatus
from tests.bot.harness import Bot
from tests.fakes.agent_server import RESULT, FakeAgent


@pytest.fixture
def done(agent: FakeAgent, bot: Bot) -> Bot:
    """A bot, and job #1, which has made a model."""
    agent.succeed(agent.add_job(status=JobStatus.running).id)
    return bot


async def test_nothing_is_drawn_before_the_person_has_read_it_and_agreed(agent: FakeAgent, done: Bot) -> None:
    await done.say("/status #1")
    asked = await done.press("Share")
    assert asked.title == "Share toast"
    assert "before: " in asked.text
    assert agent.shared == []
    drawn = await done.press("Draw it")
    assert agent.shared == [0]
    assert drawn.image is not None
    assert drawn.image.alt_text == "A picture."


async def test_another_question_takes_the_place_of_the_first(agent: FakeAgent, done: Bot) -> None:
    other = RESULT.answers[0].model_copy(update={"question": "Where do you sleep?"})
    agent.change("ftjob-1", result=RESULT.model_copy(update={"answers": [*RESULT.answers, other]}))
    first = await done.say("/share #1")
    second = await done.press("Another question")
    assert second.text != first.text
    assert len(done.chat.messages) == 1
    await done.press("Draw it")
    assert agent.shared == [1]


async def test_what_is_not_there_is_said(agent: FakeAgent, done: Bot) -> None:
    assert "There is no answer 99" in (await done.say("/share #1 99")).text
    job = agent.add_job(status=JobStatus.running, suffix="crumb")
    assert "has no answers to show" in (await done.say(f"/share #{job.number}")).text
