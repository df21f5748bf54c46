"""What Discord asks of whoever answers an interaction: within 3 s, once, and not with a token that has expired."""

from pathlib import Path

from bot.discord_ui.trouble import ALREADY_ANSWERED, UNKNOWN_INTERACTION
from tests.bot.discord_ui.harness import ROWS, Story, running_bot
from tests.fakes.discord_server.interactions import DEFERRED_MESSAGE, DEFERRED_UPDATE


async def test_every_interaction_is_acknowledged_before_the_agent_is_asked(bot: Story) -> None:
    bot.agent.delay_s = 0.05
    happened = await bot.mia.slash("jobs", channel=bot.team)
    await bot.says("No jobs yet")
    assert happened.answer == DEFERRED_MESSAGE
    assert happened.answered_at is not None
    assert happened.answered_at - happened.at < 1
    assert bot.discord.interactions.refused == []


async def test_a_job_longer_than_the_interaction_lives_is_told_to_its_end(bot: Story) -> None:
    card = await bot.starts_a_job()
    bot.clock.advance(16 * 60)
    bot.agent.step("ftjob-1", 30)
    await bot.until(lambda: "training 66 %" in card.text, step_s=0.5)
    bot.agent.succeed("ftjob-1")
    await bot.until(lambda: not bot.core.subscriptions.undelivered(), step_s=0.5)
    assert card.text.startswith("toast · done")
    assert " is ready ·" in bot.flat()
    assert bot.discord.interactions.refused == []


async def test_an_agent_that_takes_longer_than_the_token_is_answered_for_in_the_channel(bot: Story) -> None:
    gate = bot.agent.gate("POST", "/v1/fine_tuning/plans")
    await bot.mia.slash("finetune", channel=bot.team, options="sample")
    await gate.reached.wait()
    bot.clock.advance(16 * 60)
    gate.open.set()
    await bot.planned()
    assert len(bot.shown()) == 1
    assert bot.discord.interactions.refused == []


async def test_buttons_from_before_a_restart_still_work(story: Story, tmp_path: Path) -> None:
    async with running_bot(story, tmp_path):
        card = await story.starts_a_job()
        story.agent.step("ftjob-1", 5)
        await story.until(lambda: "training 11 %" in card.text, step_s=0.5)
    async with running_bot(story, tmp_path):
        story.agent.step("ftjob-1", 6)
        await story.until(lambda: "training 13 %" in card.text, step_s=0.5)
        pressed = await story.mia.press("Stop", message=card)
        await story.says("Stop #1 toast?")
        await story.mia.press("Yes, stop it", channel=story.team)
        await story.until(lambda: card.text.startswith("toast · stopped"), step_s=0.5)
    assert pressed.answer == DEFERRED_UPDATE


async def test_log_and_retry_of_an_old_card_work_after_a_restart(story: Story, tmp_path: Path) -> None:
    async with running_bot(story, tmp_path):
        await story.starts_a_job()
        story.agent.fail("ftjob-1")
        await story.until(lambda: " did not finish" in story.last().text, step_s=0.5)
        failure = story.last()
    async with running_bot(story, tmp_path):
        await story.mia.press("Log", message=failure)
        await story.until(lambda: any(it.text.startswith("What happened · #1 toast") for it in story.shown()))
        await story.mia.press("Try again", message=failure)
        await story.until(lambda: len(story.agent.plan_requests) == 2, step_s=0.5)


async def test_with_the_agent_down_it_is_said_at_once_kept_and_carried_out_later(story: Story, tmp_path: Path) -> None:
    await story.agent.stop()
    async with running_bot(story, tmp_path):
        happened = await story.mia.slash("finetune", file=ROWS, channel=story.team, name="mia")
        await story.says("Queued until the PC is back")
        assert story.clock.now() - happened.at < 1
        await story.until(lambda: story.core.requests.unanswered()[0].answer_id)  # a bot stopped before posts it anew
    await story.agent.restart()
    async with running_bot(story, tmp_path):
        await story.until(lambda: "rows.jsonl · " in story.last().text, step_s=1)
    assert [request.suffix for request in story.agent.plan_requests] == ["mia"]
    assert len(story.shown()) == 1


async def test_a_file_whose_link_has_expired_meanwhile_is_asked_for_again(story: Story, tmp_path: Path) -> None:
    await story.agent.stop()
    async with running_bot(story, tmp_path):
        await story.mia.slash("finetune", file=ROWS, channel=story.team)
        await story.says("Queued until the PC is back")
    story.clock.advance(25 * 3600)
    await story.agent.restart()
    async with running_bot(story, tmp_path):
        await story.until(lambda: "has expired. Send it once more." in story.flat(), step_s=1)
    assert story.agent.files == {}


async def test_a_lost_answer_to_an_acknowledgement_is_no_reason_to_do_nothing(bot: Story) -> None:
    bot.discord.fail("POST", "/callback", status=502, done=True)  # the library asks again, and is refused as 40060
    await bot.mia.slash("pause", channel=bot.team)
    await bot.says("Pausing the machine")
    assert bot.discord.interactions.refused == [ALREADY_ANSWERED]
    assert not any(message.thinking for message in bot.shown())
    await bot.until(lambda: not bot.core.requests.unanswered())


async def test_a_press_whose_acknowledgement_was_lost_is_carried_out(bot: Story) -> None:
    card = await bot.starts_a_job()
    bot.discord.fail("POST", "/callback", status=502, done=True)
    await bot.mia.press("Stop", message=card)
    await bot.says("Stop #1 toast?")


async def test_an_interaction_that_arrives_too_late_to_be_acknowledged_is_answered_in_the_channel(bot: Story) -> None:
    bot.discord.gateway.drop()
    happened = await bot.mia.slash("jobs", channel=bot.team)
    bot.clock.advance(5)
    await bot.says("No jobs yet")
    assert happened.answered_at is None
    assert bot.discord.interactions.refused == [UNKNOWN_INTERACTION]
