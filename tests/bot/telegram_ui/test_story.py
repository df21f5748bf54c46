"""A dataset becomes a model in a Telegram chat: the real library, a wire, and a person with a phone."""

from pathlib import Path

from shared.events import EvaluationData
from tests.bot.telegram_ui.harness import MIA, TEAM, Story, running_bot
from tests.fakes.agent_server import PNG


async def test_a_file_with_a_caption_becomes_a_model_on_one_card(bot: Story) -> None:
    bot.mia.send_file("support.jsonl", caption="/finetune name:support epochs:3")
    await bot.says("support.jsonl · ")
    card = bot.last()
    assert card.labels == ["Start", "Change", "See a row", "Check data", "Not now"]
    assert len(bot.shown()) == 1
    bot.mia.press("Start")
    job = "ftjob-1"
    await bot.until(lambda: job in bot.agent.jobs and "support · " in card.text)
    bot.agent.step(job, 20)
    await bot.until(lambda: "training 44 %" in card.text, step_s=0.5)
    assert card.photo == PNG
    bot.agent.succeed(job)
    await bot.until(lambda: len(bot.shown()) == 4, step_s=0.5)
    assert card.text.startswith("support · done")
    result = next(message for message in bot.shown() if message.text.startswith("✓ "))
    assert ("pre", "ollama create toast -f Modelfile\nollama run toast") in result.spans
    names = [message.document.name for message in bot.shown() if message.document]
    assert names == ["toast.gguf", "Modelfile"]
    assert [not message.silent for message in bot.shown()] == [True, True, False, False]


async def test_the_plot_is_replaced_in_place_when_an_evaluation_came_in_and_not_at_each_step(bot: Story) -> None:
    card = await bot.starts_a_job()
    bot.agent.step("ftjob-1", 1)
    await bot.until(lambda: "training 2 %" in card.text, step_s=0.5)
    bot.agent.step("ftjob-1", 2)
    await bot.until(lambda: "training 4 %" in card.text, step_s=0.5)
    assert (card.pictures, card.photo) == (1, PNG)
    evaluation = EvaluationData(step=3, split="validation", loss=1.4, best_loss=1.4, best_step=3)
    bot.agent.emit("ftjob-1", evaluation)
    bot.agent.step("ftjob-1", 4)
    await bot.until(lambda: card.pictures == 2, step_s=0.5)
    await bot.until(lambda: "training 8 %" in card.text, step_s=0.5)
    assert len(bot.shown()) == 1


async def test_buttons_and_cards_go_on_after_a_restart(story: Story, tmp_path: Path) -> None:
    async with running_bot(story, tmp_path):
        card = await story.starts_a_job()
        story.agent.step("ftjob-1", 5)
        await story.until(lambda: "training 11 %" in card.text, step_s=0.5)
    async with running_bot(story, tmp_path):
        story.agent.step("ftjob-1", 6)
        await story.until(lambda: "training 13 %" in card.text, step_s=0.5)
        story.mia.press("Stop", message_id=card.id)
        await story.says("Stop #1 toast?")
        story.mia.press("Yes, stop it")
        await story.until(lambda: card.text.startswith("toast · stopped"), step_s=0.5)
    assert not story.telegram.methods.taps


async def test_log_and_retry_of_an_old_card_work_after_a_restart(story: Story, tmp_path: Path) -> None:
    async with running_bot(story, tmp_path):
        await story.starts_a_job()
        story.agent.fail("ftjob-1")
        await story.until(lambda: " did not finish" in story.last(MIA).text, step_s=0.5)
        failure = story.last(MIA)
    async with running_bot(story, tmp_path):
        story.mia.press("Log", message_id=failure.id)
        await story.until(lambda: any(it.text.startswith("What happened · #1 toast") for it in story.shown(MIA)))
        story.mia.press("Try again", message_id=failure.id)
        await story.until(lambda: len(story.agent.plan_requests) == 2, step_s=0.5)
        await story.planned()
        await story.until(lambda: not story.telegram.methods.taps)


async def test_in_a_group_only_the_owner_is_mentioned_and_only_by_the_result(bot: Story) -> None:
    bot.telegram.world.add_group(TEAM)
    card = await bot.starts_a_job(chat=TEAM)
    bot.agent.step("ftjob-1", 5)
    bot.agent.succeed("ftjob-1")
    await bot.until(lambda: len(bot.shown(TEAM)) == 4, step_s=0.5)
    pings = [message.pings for message in bot.shown(TEAM) if message.pings]
    assert pings == [[str(MIA)]]
    assert card.text.startswith("toast · done")


async def test_answers_stay_in_their_topic_also_after_a_restart(story: Story, tmp_path: Path) -> None:
    story.telegram.world.add_group(TEAM, topics=(45,))
    async with running_bot(story, tmp_path):
        story.mia.say("/finetune@hearth_bot sample", chat=TEAM, topic=45)
        await story.planned(chat=TEAM)
        story.mia.press("Start", chat=TEAM)
        await story.until(lambda: story.core.subscriptions.undelivered())
    story.agent.succeed("ftjob-1")
    async with running_bot(story, tmp_path):
        await story.until(lambda: len(story.shown(TEAM)) == 4, step_s=0.5)
    assert {message.topic for message in story.shown(TEAM)} == {45}


async def test_with_the_agent_down_it_is_said_kept_and_sent_once_when_it_is_back(story: Story, tmp_path: Path) -> None:
    await story.agent.stop()
    async with running_bot(story, tmp_path):
        story.mia.send_file("rows.jsonl", caption="/finetune name:mia")
        await story.says("Queued until the PC is back")
        await story.until(lambda: not story.telegram.updates)
    story.clock.advance(7200)  # the way to the file has expired
    await story.agent.restart()
    async with running_bot(story, tmp_path):
        await story.until(lambda: "rows.jsonl · " in story.last().text, step_s=1)
    assert [request.suffix for request in story.agent.plan_requests] == ["mia"]
    assert len(story.shown()) == 1


async def test_a_bot_that_stops_between_two_messages_of_a_result_goes_on_with_the_next(
    story: Story, tmp_path: Path
) -> None:
    async with running_bot(story, tmp_path):
        await story.starts_a_job()
        story.telegram.fail("sendMediaGroup", status=500, times=1000)
        story.agent.succeed("ftjob-1")
        await story.until(lambda: " is ready ·" in story.flat(), step_s=0.5)
        await story.until(lambda: "sendMediaGroup" in story.telegram.called, step_s=0.5)
    story.telegram.faults.clear()
    async with running_bot(story, tmp_path):
        await story.until(lambda: not story.core.subscriptions.undelivered(), step_s=0.5)
    assert story.flat().count(" is ready ·") == 1
    assert len(story.shown()) == 4
    assert len({message.album for message in story.shown() if message.document is not None}) == 1, "one delivery"
