"""A job is meant by its number or by its name."""

import pytest

from bot.dispatch.job_reference import find_job
from bot.errors import BadCallError
from shared.jobs import JobStatus
from tests.bot.harness import Bot
from tests.fakes.agent_server import FakeAgent


@pytest.fixture
def three(agent: FakeAgent, bot: Bot) -> Bot:
    """A bot, and jobs #1 pirate, #2 pirate and #3 robot-butler."""
    for name in ("pirate", "pirate", "robot-butler"):
        agent.succeed(agent.add_job(suffix=name, status=JobStatus.running).id)
    return bot


@pytest.mark.parametrize(
    ("word", "number"),
    [("#1", 1), ("2", 2), ("pirate", 2), ("Pirate", 2), ("#robot-butler", 3), ("robot", 3), ("ftjob-1", 1)],
)
async def test_a_name_is_the_newest_job_of_that_name(three: Bot, word: str, number: int) -> None:
    assert (await find_job(three.core.agent, (word,))).number == number


@pytest.mark.parametrize(("word", "said"), [("pirat3", "Did you mean pirate?"), ("xyz", "is no job. A job has")])
async def test_a_name_that_no_job_has_says_what_is_near(three: Bot, word: str, said: str) -> None:
    with pytest.raises(BadCallError) as caught:
        await find_job(three.core.agent, (word,))
    assert said in caught.value.message


async def test_a_model_is_asked_by_its_name(agent: FakeAgent, three: Bot) -> None:
    assert (await three.say("/try pirate Who are you?")).text.startswith("Try #2 pirate\n\nWho are you?")
    assert (await three.say("/try Who are you?")).text.startswith("Try #3 robot-butler\n\nWho are you?")
    assert [asked.messages[0].content for asked in agent.questions] == ["Who are you?"] * 2
    assert "robot-butler" in (await three.say("/log robot-butler")).text
