"""A dataset becomes a model in a Discord channel: the real library, a wire, and a person at a keyboard."""

from pathlib import Path

from shared.events import EvaluationData
from tests.bot.discord_ui.harness import MIA, ROWS, Story, running_bot
from tests.fakes.agent_server import ALT_TEXT, PNG
from tests.fakes.discord_server.world import THREAD


async def test_a_file_becomes_a_model_on_one_card_and_its_files_lie_in_a_thread(bot: Story) -> None:
    file = ("support.jsonl", b'{"messages": []}\n')
    await bot.mia.slash("finetune", file=file, channel=bot.team, name="support", epochs=3.0)
    await bot.says("support.jsonl · ")
    card = bot.last()
    assert card.labels[:3] == ["Start", "Change", "See a row"]
    assert len(bot.shown()) == 1
    assert bot.agent.plan_requests[0].method.hyperparameters.n_epochs == 3
    await bot.mia.press("Start", channel=bot.team)
    job = "ftjob-1"
    await bot.until(lambda: job in bot.agent.jobs and "support · " in card.text)
    bot.agent.step(job, 20)
    await bot.until(lambda: "training 44 %" in card.text, step_s=0.5)
    assert [file.content for file in card.attachments] == [PNG]
    assert card.layout.pictures == [("attachment://loss.png", ALT_TEXT)]
    bot.agent.succeed(job)
    await bot.until(lambda: not bot.core.subscriptions.undelivered(), step_s=0.5)
    assert card.text.startswith("support · done")
    result = bot.last()
    assert result.pings == [str(MIA)]
    assert " is ready ·" in result.text
    assert "```\nollama create toast -f Modelfile\nollama run toast\n```" in result.markdown
    thread = bot.discord.world.channels[card.id]
    assert (thread.name, thread.minutes) == ("support-1", 10080)
    files = [name for message in bot.shown(thread.id) for name in message.files]
    assert files == ["toast.gguf", "Modelfile"]
    assert len(bot.shown()) == 2


async def test_time_left_ticks_by_itself(bot: Story) -> None:
    card = await bot.starts_a_job()
    bot.agent.step("ftjob-1", 5)
    await bot.until(lambda: "training 11 %" in card.text, step_s=0.5)
    done_at = bot.agent.now + 5 + 4 * 40
    assert f"done <t:{done_at}:R>" in card.markdown
    assert " left (" not in card.text


async def test_the_plot_is_replaced_in_place_when_an_evaluation_came_in(bot: Story) -> None:
    card = await bot.starts_a_job()
    bot.agent.step("ftjob-1", 1)
    await bot.until(lambda: "training 2 %" in card.text, step_s=0.5)
    first = card.attachments
    bot.agent.step("ftjob-1", 2)
    await bot.until(lambda: "training 4 %" in card.text, step_s=0.5)
    assert card.attachments == first
    bot.agent.emit("ftjob-1", EvaluationData(step=3, split="validation", loss=1.4, best_loss=1.4, best_step=3))
    bot.agent.step("ftjob-1", 4)
    await bot.until(lambda: card.attachments != first, step_s=0.5)
    await bot.until(lambda: "training 8 %" in card.text, step_s=0.5)
    assert (len(card.attachments), len(card.layout.pictures), len(bot.shown())) == (1, 1, 1)
    assert set(bot.agent.plotted) == {"dark"}


async def test_an_answer_that_took_longer_than_the_token_holds_comes_as_a_message(bot: Story) -> None:
    gate = bot.agent.gate("GET", "/v1/fine_tuning/jobs")
    happened = await bot.mia.slash("jobs", channel=bot.team)
    await gate.reached.wait()
    await bot.until(lambda: happened.answered_at)
    bot.clock.advance(16 * 60)
    gate.open.set()
    await bot.says("No jobs yet.")
    assert bot.discord.interactions.refused == []


async def test_what_is_asked_in_a_thread_stays_in_it_also_after_a_restart(story: Story, tmp_path: Path) -> None:
    thread = story.discord.world.add_channel(type=THREAD, name="cats", parent=story.team, owner=MIA).id
    async with running_bot(story, tmp_path):
        await story.starts_a_job(channel=thread)
    story.agent.succeed("ftjob-1")
    async with running_bot(story, tmp_path):
        await story.until(lambda: story.shown(thread) and story.last(thread).files, step_s=0.5)
    assert story.shown() == []
    assert len(story.shown(thread)) == 3


async def test_the_transcript_reads_as_the_channel_does(bot: Story) -> None:
    await bot.mia.slash("finetune", file=ROWS, channel=bot.team)
    await bot.planned()
    told = bot.discord.world.transcript(bot.team)
    assert told.startswith("Mia used finetune\nHearth (edited ")
    assert "[Start]  [Change]  [See a row]" in told
