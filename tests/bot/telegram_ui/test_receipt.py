"""The reaction on a message that brought a file: there at once, true at the end, and never in the way."""

import asyncio
from pathlib import Path

import pytest

from bot.telegram_ui.limits import Limits
from tests.bot.telegram_ui.harness import MIA, TEAM, Story, running_bot
from tests.fakes.telegram_server.rules import REACTIONS

SEEN, WELL, REFUSED = "👀", "👍", "👎"


async def test_a_file_is_seen_at_once_and_ends_with_a_thumb_up(bot: Story) -> None:
    sent = bot.mia.send_file("rows.jsonl", caption="/finetune")
    await bot.planned()
    await bot.until(lambda: sent.reactions[-1:] == [WELL])
    assert sent.reactions == [SEEN, WELL]


async def test_while_the_agent_is_slow_the_eyes_are_there_before_any_word(bot: Story) -> None:
    bot.agent.delay_s = 3600
    sent = bot.mia.send_file("rows.jsonl", caption="/finetune")
    await bot.until(lambda: sent.reactions, step_s=0)
    assert (sent.reactions, bot.shown()) == ([SEEN], [])


async def test_a_refusal_shows_as_a_thumb_down(bot: Story) -> None:
    sent = bot.mia.send_file("rows.jsonl", caption="/finetune banana")
    await bot.says("I cannot read “banana”")
    await bot.until(lambda: sent.reactions == [SEEN, REFUSED])


async def test_a_file_that_is_too_large_shows_it(story: Story, tmp_path: Path) -> None:
    async with running_bot(story, tmp_path, limits=Limits(download_bytes=10)):
        sent = story.mia.send_file("rows.jsonl")
        await story.until(lambda: sent.reactions == [REFUSED])


async def test_a_question_is_no_end_yet(bot: Story) -> None:
    sent = bot.mia.send_file("rows.jsonl")
    await bot.says("Teach a model rows.jsonl")
    await bot.until(lambda: sent.reactions)
    await bot.settled()
    assert sent.reactions == [SEEN]


async def test_while_the_agent_is_away_it_is_seen_and_no_more(bot: Story) -> None:
    await bot.agent.stop()
    sent = bot.mia.send_file("rows.jsonl", caption="/finetune")
    await bot.says("Queued until the PC is back")
    await bot.settled()
    assert set(sent.reactions) == {SEEN}


async def test_only_what_brings_a_file_to_the_bot_is_reacted_to(bot: Story) -> None:
    bot.telegram.everything = True
    bot.telegram.world.add_group(TEAM)
    said = [bot.mia.say("/jobs"), bot.mia.send_file("rows.jsonl", chat=TEAM, caption="look at this")]
    asked = bot.mia.send_file("rows.jsonl", chat=TEAM, caption="/finetune")
    await bot.until(lambda: asked.reactions == [SEEN, WELL])
    assert [message.reactions for message in said] == [[], []]


async def test_what_is_delivered_twice_keeps_its_receipt(bot: Story) -> None:
    sent = bot.mia.send_file("rows.jsonl", caption="/finetune")
    update = bot.telegram.updates[-1]
    await bot.until(lambda: sent.reactions == [SEEN, WELL])
    bot.telegram.replay(update)
    await bot.settled()
    assert sent.reactions == [SEEN, WELL]


@pytest.mark.parametrize("how", [{"status": 500}, {"status": None}, {"status": 429, "retry_after": 600}])
async def test_a_reaction_that_fails_is_not_tried_again_and_the_answer_comes_all_the_same(
    bot: Story, how: dict[str, int | None]
) -> None:
    bot.telegram.fail("setMessageReaction", times=9, **how)
    bot.mia.send_file("rows.jsonl", caption="/finetune")
    await bot.planned()
    await bot.settled()
    assert bot.telegram.called.count("setMessageReaction") == (1 if "retry_after" in how else 2)
    asked_at = bot.clock.now()
    bot.mia.say("/jobs")
    await bot.says("No jobs yet")
    assert bot.clock.now() - asked_at < 5  # nothing but reactions waits


async def test_where_no_reactions_are_allowed_nothing_is_said_of_it(bot: Story) -> None:
    bot.telegram.world.add_group(TEAM)
    bot.telegram.methods.no_reactions.add(TEAM)
    sent = bot.mia.send_file("rows.jsonl", chat=TEAM, caption="/finetune")
    await bot.planned(chat=TEAM)
    await bot.settled()
    assert (sent.reactions, len(bot.shown(TEAM))) == ([], 1)


async def test_a_message_that_was_deleted_meanwhile_breaks_nothing(bot: Story) -> None:
    sent = bot.mia.send_file("rows.jsonl", caption="/finetune")
    del bot.telegram.world.messages[MIA, sent.id]
    await bot.planned()
    await bot.settled()
    assert len(bot.shown()) == 1


async def test_many_files_at_once_get_no_more_reactions_than_messages(bot: Story) -> None:
    for number in range(8):
        bot.mia.send_file(f"rows-{number}.jsonl")
    await bot.until(lambda: len(bot.shown()) == 8, step_s=0.02)
    await asyncio.sleep(0)
    assert 1 <= bot.telegram.called.count("setMessageReaction") <= 10


def test_the_set_is_the_one_that_telegram_permits() -> None:
    assert {SEEN, WELL, REFUSED} <= set(REACTIONS)
    assert not {"✅", "❌"} & set(REACTIONS)
