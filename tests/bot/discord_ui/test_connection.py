"""A line to Discord that breaks, refuses or forgets: nothing is lost, and nothing is told twice."""

import asyncio
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.core.reply import Reply
from bot.discord_ui.app import DiscordFrontEnd
from bot.discord_ui.texts import NOT_LET_IN
from bot.errors import ChatError
from bot.launch.event_loop import NOTHING_LEFT, serve
from tests.bot.discord_ui.harness import Story, running_bot
from tests.fakes.discord_server import TOKEN


@pytest.mark.parametrize("how", [{"status": 503}, {"status": None}, {"status": 429, "retry_after": 30}])
async def test_the_end_is_told_once_after_errors_of_every_kind(bot: Story, how: dict[str, int | None]) -> None:
    card = await bot.starts_a_job()
    await bot.until(lambda: bot.agent.feeds)
    for method in ("PATCH", "POST"):
        bot.discord.fail(method, "/channels/", times=2, **how)
    bot.agent.succeed("ftjob-1")
    await bot.until(lambda: not bot.core.subscriptions.undelivered(), step_s=5)
    assert card.text.startswith("toast · done")
    assert bot.flat().count(" is ready ·") == 1


async def test_a_result_that_arrived_though_its_answer_was_lost_is_not_shown_twice(bot: Story) -> None:
    await bot.starts_a_job()
    bot.discord.fail("POST", "/channels/[0-9]+/messages", done=True)
    bot.agent.succeed("ftjob-1")
    await bot.until(lambda: not bot.core.subscriptions.undelivered(), step_s=1)
    assert bot.flat().count(" is ready ·") == 1


async def test_a_gateway_that_drops_is_resumed_and_nothing_is_missed(bot: Story) -> None:
    bot.discord.gateway.drop()
    happened = await bot.mia.slash("jobs", channel=bot.team)
    await bot.until(lambda: bot.discord.gateway.resumed == 1)
    await bot.says("No jobs yet")
    assert happened.answered_at is not None
    assert len(bot.discord.gateway.identified) == 1


async def test_a_gateway_that_asks_for_it_is_reconnected_to(bot: Story) -> None:
    await bot.discord.gateway.ask_to_reconnect()
    await bot.until(lambda: bot.discord.gateway.resumed == 1)
    await bot.mia.slash("jobs", channel=bot.team)
    await bot.says("No jobs yet")


async def test_while_discord_is_away_the_job_goes_on_and_its_end_is_told_after(bot: Story) -> None:
    card = await bot.starts_a_job()
    await bot.discord.stop()
    bot.agent.succeed("ftjob-1")
    for _ in range(50):
        bot.clock.advance(10)
        await asyncio.sleep(0.005)
    await bot.discord.restart()
    await bot.until(lambda: not bot.core.subscriptions.undelivered(), step_s=5)
    assert card.text.startswith("toast · done")
    assert bot.flat().count(" is ready ·") == 1
    await bot.until(lambda: bot.discord.gateway.connected, step_s=1)
    await bot.mia.slash("jobs", channel=bot.team)
    await bot.until(lambda: "#1 toast · done" in bot.flat(), step_s=0.05)


async def test_a_channel_that_was_closed_to_the_bot_is_asked_less_and_less(bot: Story) -> None:
    await bot.starts_a_job()
    for closed in (bot.team, bot.mia.direct):
        bot.discord.world.channels[closed].sends = False
    bot.agent.succeed("ftjob-1")
    bot.discord.called.clear()
    for _ in range(400):
        bot.clock.advance(10)
        await asyncio.sleep(0.002)
    assert len(bot.discord.called) < 40
    bot.discord.world.channels[bot.team].sends = True
    await bot.until(lambda: " is ready ·" in bot.flat(), step_s=10)


async def test_a_bad_token_ends_this_front_end_in_one_line_without_the_token(
    story: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    mistyped = DiscordFrontEnd(
        SecretStr("NDI0Mg.mistyped"),
        api_base=story.discord.api_base,
        gateway=story.discord.gateway_url,
        clock=story.clock,
    )
    async with running_bot(story, tmp_path):
        code = await serve([mistyped], story.core, talking=None, talk_decides=False, background={})
    assert code == NOTHING_LEFT
    assert capsys.readouterr().err == f"{NOT_LET_IN}\n"
    assert "connect it again" not in caplog.text
    assert "mistyped" not in caplog.text.replace(NOT_LET_IN, "")


async def test_a_token_that_is_reset_meanwhile_is_noticed_and_nothing_more_is_sent(
    story: Story, tmp_path: Path
) -> None:
    later = DiscordFrontEnd(
        SecretStr(TOKEN), api_base=story.discord.api_base, gateway=story.discord.gateway_url, clock=story.clock
    )
    async with running_bot(story, tmp_path):
        serving = asyncio.create_task(serve([later], story.core, talking=None, talk_decides=False, background={}))
        await story.until(lambda: len(story.discord.gateway.identified) == 2)
        story.discord.token_valid = False
        await story.discord.gateway.close(4004)
        await story.until(serving.done, step_s=1)
        assert serving.result() == NOTHING_LEFT
        chat = later.open_chat(str(story.team))
        assert chat is not None
        asked = len(story.discord.called)
        with pytest.raises(ChatError, match="does not accept my token"):
            await chat.post(Reply(summary="Still there?"))
        assert len(story.discord.called) == asked
