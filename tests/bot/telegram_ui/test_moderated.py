"""After an admin's hand: what is shown finds its next best place, or a lesser form, or is given up with a word."""

from typing import Any

import pytest
from telegram import Message

from bot.telegram_ui import app, inbound
from bot.telegram_ui.inbound import TelegramRequest
from tests.bot.telegram_ui.harness import MIA, TEAM, Story

TOPIC = 5


@pytest.fixture
def group(bot: Story) -> Story:
    bot.telegram.world.add_group(TEAM, topics=(TOPIC,))
    return bot


async def told(bot: Story) -> None:
    await bot.until(lambda: not bot.core.subscriptions.undelivered(), step_s=2)


@pytest.mark.parametrize("hand", ["kicked", "muted", "deleted"])
async def test_a_card_of_a_group_that_is_closed_goes_on_in_private(group: Story, hand: str) -> None:
    await group.starts_a_job(chat=TEAM)
    if hand == "deleted":
        del group.telegram.world.chats[TEAM]
    else:
        getattr(group.telegram.methods, hand).add(TEAM)
        for message in group.shown(TEAM):
            del group.telegram.world.messages[TEAM, message.id]
    group.agent.succeed("ftjob-1")
    await told(group)
    assert "I cannot write any more where you asked for this" in group.flat(MIA)
    assert " is ready ·" in group.flat(MIA)
    assert any(message.document is not None for message in group.shown(MIA))


async def test_a_card_of_a_closed_topic_goes_on_in_the_group(group: Story) -> None:
    group.mia.say("/finetune sample", chat=TEAM, topic=TOPIC)
    await group.planned(chat=TEAM)
    group.mia.press("Start", chat=TEAM)
    await group.until(lambda: group.core.subscriptions.undelivered())
    group.telegram.methods.closed.add((TEAM, TOPIC))
    group.agent.succeed("ftjob-1")
    await told(group)
    ready = [message for message in group.shown(TEAM) if " is ready ·" in message.text]
    assert [message.topic for message in ready] == [None]


async def test_where_no_media_may_be_sent_the_texts_arrive_and_name_what_is_missing(group: Story) -> None:
    card = await group.starts_a_job(chat=TEAM)
    group.telegram.methods.texts_only.add(TEAM)
    group.agent.step("ftjob-1", 10)
    await group.until(lambda: "training 22 %" in card.text, step_s=0.5)
    group.agent.succeed("ftjob-1")
    await told(group)
    flat = group.flat(TEAM)
    assert " is ready ·" in flat
    assert "I may not send files in this chat, so this is missing: toast.gguf" in flat


async def test_a_person_who_blocked_the_bot_for_good_is_given_up_in_the_log(
    bot: Story, caplog: pytest.LogCaptureFixture
) -> None:
    await bot.starts_a_job()
    bot.telegram.methods.blocked.add(MIA)
    bot.agent.succeed("ftjob-1")
    await bot.until(lambda: not bot.core.subscriptions.undelivered(), step_s=600)
    assert "I give up the card of job ftjob-1" in caplog.text


async def test_an_update_that_cannot_be_read_holds_up_no_other(
    bot: Story, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:

    def poisoned(message: Message, **more: Any) -> TelegramRequest | None:
        if message.text == "poison":
            raise LookupError(message.text)
        return inbound.read_message(message, **more)

    monkeypatch.setattr(app, "read_message", poisoned)
    bot.mia.say("poison")
    bot.mia.say("/jobs")
    await bot.says("No jobs yet")
    assert "cannot be read; I leave it" in caplog.text
