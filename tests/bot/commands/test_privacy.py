"""What others read along is shown on request, and a job of another chat is seen in short."""

from typing import Any

import pytest

from shared.jobs import JobStatus
from shared.people import GrantKind, RequestedBy
from tests.bot.harness import Bot
from tests.fakes.agent_server import FakeAgent

GROUP: dict[str, Any] = {"private": False}
SAID = "Five naps out of five"
MIA = RequestedBy(platform="test", person="mia", chat="attic", name="Mia")
TOM = {"person": "tom", "name": "Tom", "rights_chat_id": "team", **GROUP}


def flat(text: str) -> str:
    return " ".join(text.split())


async def result(agent: FakeAgent, bot: Bot, **where: Any) -> str:
    """Let a job run to its end; return the text of its result."""
    await bot.say("/finetune sample", **where)
    await bot.press("Start", **where)
    agent.succeed("ftjob-1")
    await bot.until(lambda: bot.chat.last.title == "✓ toast is ready · 3 min", step_s=1)
    return flat(bot.chat.last.text)


async def test_the_result_in_a_private_chat_shows_answers_at_once(agent: FakeAgent, bot: Bot) -> None:
    assert SAID in await result(agent, bot)
    assert [button.label for button in bot.chat.last.buttons] == ["Chat", "Share", "Train again", "Details", "Files"]


async def test_the_result_in_a_group_shows_answers_only_on_request(agent: FakeAgent, bot: Bot) -> None:
    assert SAID not in await result(agent, bot, **GROUP)
    labels = ["Chat", "Share", "Train again", "Show answers", "Details", "Files"]
    assert [button.label for button in bot.chat.last.buttons] == labels
    reply = await bot.press("Show answers", **GROUP)
    assert reply.text.startswith("What it says · toast")
    assert SAID in flat(reply.text)
    reply = await bot.say("/status #1", **GROUP)
    assert SAID not in flat(reply.text)
    assert SAID in flat((await bot.say("/status #1")).text)


async def test_details_in_a_group_show_answers_only_on_request(agent: FakeAgent, bot: Bot) -> None:
    await result(agent, bot, **GROUP)
    reply = await bot.press("Details", **GROUP)
    assert reply.title == "Details · toast"
    assert SAID not in flat(reply.text)
    assert SAID in flat((await bot.press("Show answers", **GROUP)).text)
    assert SAID in flat((await bot.say("/status #1 details")).text)


async def test_answers_of_a_job_without_any_are_not_there(agent: FakeAgent, bot: Bot) -> None:
    agent.add_job(status=JobStatus.failed)
    assert "has no answers to show" in flat((await bot.say("/status #1 answers")).text)


@pytest.fixture
def elsewhere(agent: FakeAgent, bot: Bot) -> Bot:
    """Mia's job of the attic; Tom, who speaks, is allowed in the team."""
    agent.people.own("test", "ada", "Ada")
    for chat in ("team", "attic"):
        agent.people.grant("test", GrantKind.chat, chat, chat)
    agent.step(agent.add_job(requested_by=MIA).id, 20)
    bot.who = TOM
    return bot


async def test_a_job_of_another_chat_gets_no_live_card_here(agent: FakeAgent, elsewhere: Bot) -> None:
    reply = await elsewhere.say("/status #1")
    assert flat(reply.text).startswith("toast · training 44 % Job #1 was started in another chat, by Mia.")
    assert not reply.live
    assert elsewhere.core.subscriptions.undelivered() == []
    agent.succeed("ftjob-1")
    reply = await elsewhere.say("/status #1")
    assert not reply.files
    assert SAID not in flat(reply.text)


@pytest.mark.parametrize(
    "line",
    [
        "/plot #1", "/log #1", "/status #1 answers", "/status #1 details", "/status #1 files", "/cancel #1 yes",
        "/cancel #1 keep", "/status #1 slower", "/pause #1",
    ],
)  # fmt: skip
async def test_what_is_inside_a_job_of_another_chat_is_refused_with_the_reason(elsewhere: Bot, line: str) -> None:
    reply = await elsewhere.say(line)
    assert "by Mia. Only they, the owner of this machine (Ada)" in flat(reply.text)
    assert reply.private


async def test_jobs_and_queue_name_it_in_short(elsewhere: Bot) -> None:
    assert (await elsewhere.say("/jobs")).text == "The last jobs\n\n- #1 toast · training 44 %"
    assert (await elsewhere.say("/queue")).text == "The queue\n\n- #1 toast · training 44 %"
