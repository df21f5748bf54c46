"""How fast and how much Discord takes."""

import asyncio

import pytest

from tests.bot.discord_ui.harness import MIA, ROWS, Story
from tests.fakes.agent_server import ALT_TEXT, PNG
from tests.fakes.discord_server.world import THREAD

TOO_MANY_OLD = 30046


async def test_a_thousand_events_in_ten_seconds_are_three_edits_and_the_last_is_the_newest(bot: Story) -> None:
    card = await bot.starts_a_job()
    await bot.until(lambda: bot.agent.feeds)
    bot.clock.advance(10)
    await bot.settled()
    edited, begun = len(card.edits), bot.clock.now()
    for number in range(1, 1001):
        bot.agent.step("ftjob-1", 1 + number * 44 // 1000)
        if number % 5 == 0:
            bot.clock.advance(0.05)
            await asyncio.sleep(0)
    assert bot.clock.now() - begun == pytest.approx(10)
    await bot.until(lambda: "training 100 %" in card.text, step_s=0.05)
    assert len([at for at in card.edits[edited:] if at <= begun + 10]) <= 3
    assert len(card.edits) - edited <= 4
    assert bot.discord.flood.refused == []


async def test_five_old_cards_in_one_channel_stay_below_the_limit_of_edits(bot: Story) -> None:
    cards = []
    for number in range(1, 6):
        cards.append(await bot.starts_a_job(name=f"job{number}"))
        bot.clock.advance(10)
        await bot.settled()
    bot.clock.advance(2 * 3600)
    await bot.settled()
    for step in range(2, 10):
        for number in range(1, 6):
            bot.agent.step(f"ftjob-{number}", step)
        for _ in range(20):
            bot.clock.advance(0.5)
            await asyncio.sleep(0.002)
    for number in range(1, 6):
        bot.agent.succeed(f"ftjob-{number}")
    await bot.until(lambda: not bot.core.subscriptions.undelivered(), step_s=0.5)
    assert bot.discord.flood.refused == []
    assert all(" · done" in card.text for card in cards)


async def test_five_jobs_that_are_started_at_once_all_get_their_cards(bot: Story) -> None:
    cards = [await bot.starts_a_job(name=f"job{number}") for number in range(1, 6)]
    for number in range(1, 6):
        bot.agent.step(f"ftjob-{number}", 7)
    await bot.until(lambda: all("training 15 %" in card.text for card in cards), step_s=0.5)
    assert len(bot.shown()) == 5


async def test_after_a_429_there_is_no_second_one_and_the_end_is_told_in_15_s(bot: Story) -> None:
    card = await bot.starts_a_job()
    bot.discord.fail("PATCH", "/messages/", status=429, code=TOO_MANY_OLD, retry_after=20)
    bot.agent.succeed("ftjob-1")
    await bot.until(lambda: not bot.discord.faults)
    asked, refused_at = len(bot.discord.called), bot.clock.now()
    while bot.clock.now() < refused_at + 19:
        bot.clock.advance(0.5)
        await asyncio.sleep(0.002)
    assert not [call for call in bot.discord.called[asked:] if call.startswith("PATCH")]
    await bot.until(lambda: card.text.startswith("toast · done"), step_s=0.5)
    assert bot.clock.now() - refused_at <= 20 + 15


async def test_a_card_shows_one_plot_with_words_for_it_replaced_in_place(bot: Story) -> None:
    card = await bot.starts_a_job()
    bot.agent.step("ftjob-1", 20)
    await bot.until(lambda: "training 44 %" in card.text and card.attachments, step_s=0.5)
    bot.agent.step("ftjob-1", 21)
    await bot.until(lambda: "training 46 %" in card.text, step_s=0.5)
    bot.agent.succeed("ftjob-1")
    await bot.until(lambda: card.text.startswith("toast · done"), step_s=0.5)
    assert [file.content for file in card.attachments] == [PNG]
    assert card.layout.pictures == [("attachment://loss.png", ALT_TEXT)]


async def test_in_an_archived_thread_the_card_goes_on(bot: Story) -> None:
    thread = bot.discord.world.add_channel(type=THREAD, name="cats", parent=bot.team, owner=MIA)
    card = await bot.starts_a_job(channel=thread.id)
    thread.archived = True
    bot.agent.step("ftjob-1", 7)
    await bot.until(lambda: "training 15 %" in card.text, step_s=0.5)
    assert not thread.archived


async def test_in_a_direct_message_everything_is_in_one_place(bot: Story) -> None:
    direct = bot.mia.direct
    await bot.starts_a_job(channel=direct)
    bot.agent.succeed("ftjob-1")
    await bot.until(lambda: not bot.core.subscriptions.undelivered(), step_s=0.5)
    assert [message.pings for message in bot.shown(direct) if message.pings] == [[str(MIA)]]
    assert "toast.gguf" in [name for message in bot.shown(direct) for name in message.files]


async def test_what_exceeds_the_limit_of_a_server_is_not_sent_and_is_said(bot: Story) -> None:
    await bot.starts_a_job()
    bot.agent.succeed("ftjob-1")
    for file, content in list(bot.agent.files.values()):
        if file.filename == "toast.gguf":
            bot.agent.files[file.id] = file.model_copy(update={"bytes": 10 * 2**20 + 1}), content
    await bot.until(lambda: not bot.core.subscriptions.undelivered(), step_s=0.5)
    sent = [name for message in bot.discord.world.messages.values() for name in message.files]
    assert sent == ["Modelfile"]
    assert "toast.gguf" in bot.flat()


async def test_a_deleted_card_is_posted_anew_with_its_picture(bot: Story) -> None:
    card = await bot.starts_a_job()
    bot.agent.step("ftjob-1", 5)
    await bot.until(lambda: "training 11 %" in card.text, step_s=0.5)
    del bot.discord.world.messages[card.id]
    bot.agent.step("ftjob-1", 6)
    await bot.until(lambda: bot.shown() and "training 13 %" in bot.last().text, step_s=0.5)
    assert [file.content for file in bot.last().attachments] == [PNG]


async def test_a_file_that_is_too_large_is_refused_before_a_byte_is_fetched(bot: Story) -> None:
    bot.agent.file_size_limit = 10
    await bot.mia.slash("finetune", file=ROWS, channel=bot.team)
    await bot.until(lambda: "the agent takes files up to" in bot.flat())
    assert bot.discord.downloads == 0
    assert bot.agent.files == {}
