"""A message that is edited: its new options change the plan that it led to, and nothing else happens."""

from pathlib import Path

import pytest

from tests.bot.questions import COLUMNS
from tests.bot.telegram_ui.harness import TEAM, Story, running_bot
from tests.fakes.telegram_server import Person


def epochs(bot: Story) -> list[object]:
    return [wanted.method.hyperparameters.n_epochs for wanted in bot.agent.plan_requests]


async def changed(bot: Story, *, chat: int | None = None) -> None:
    """Wait until the plan is shown once more, with 9 epochs."""
    await bot.until(lambda: len(bot.agent.plan_requests) == 2)
    assert epochs(bot)[1] == 9
    await bot.until(lambda: len(bot.shown() if chat is None else bot.shown(chat)) == 2)
    await (bot.planned() if chat is None else bot.planned(chat=chat))


async def test_an_option_that_is_edited_into_the_command_changes_its_plan(bot: Story) -> None:
    asked = bot.mia.say("/finetune sample name:mine")
    await bot.planned()
    bot.mia.edit(asked, "/finetune sample name:mine epochs:9")
    await changed(bot)
    assert bot.agent.plan_requests[1].suffix == "mine"
    bot.mia.press("Start")
    await bot.until(lambda: bot.agent.jobs)


@pytest.mark.parametrize(
    ("before", "after"),
    [("/finetune epochs:3", "/finetune 9 epochs"), ("train this, 3 epochs", "train this, 9 epochs"), ("", "epochs 9")],
)
async def test_so_does_one_in_the_caption_of_the_file(bot: Story, before: str, after: str) -> None:
    sent = bot.mia.send_file("rows.jsonl", caption=before)
    if not before:
        await bot.says("Teach a model")
        bot.mia.press("Fine-tune")
    await bot.planned()
    bot.mia.edit(sent, after)
    await changed(bot)
    assert len(bot.agent.files) == 1


async def test_in_a_group_too_and_only_for_who_wrote_it(bot: Story) -> None:
    bot.telegram.world.add_group(TEAM)
    asked = bot.mia.say("/finetune sample", chat=TEAM)
    await bot.planned(chat=TEAM)
    Person(bot.telegram, 8, "Tom").say("/jobs", chat=TEAM)
    await bot.says("No jobs yet", chat=TEAM)
    bot.mia.edit(asked, "/finetune sample epochs:9")
    await bot.until(lambda: epochs(bot)[1:] == [9])


async def test_an_edit_while_the_plan_is_made_waits_for_it(bot: Story) -> None:
    asked = bot.mia.send_file("rows.jsonl", caption="/finetune")
    bot.mia.edit(asked, "/finetune epochs:9")
    await changed(bot)


async def test_only_what_is_new_in_it_counts(bot: Story) -> None:
    asked = bot.mia.say("/finetune sample epochs:3")
    await bot.planned()
    bot.mia.say("epochs 5")
    await bot.until(lambda: len(bot.shown()) == 2)
    await bot.planned()
    bot.mia.edit(asked, "/finetune sample epochs:3 name:mine")
    await bot.until(lambda: len(bot.agent.plan_requests) == 3)
    assert (epochs(bot)[2], bot.agent.plan_requests[2].suffix) == (5, "mine")


@pytest.mark.parametrize(
    "text",
    [
        "/finetune sample epochs:3",
        "/finetune sample",
        "/finetune sample please epochs:3",
        "/gpu",
        "hello",
        "/cancel #1",
    ],
)
async def test_any_other_edit_does_nothing(bot: Story, text: str) -> None:
    asked = bot.mia.say("/finetune sample epochs:3")
    await bot.planned()
    bot.mia.edit(asked, text)
    await bot.settled()
    assert len(bot.agent.plans) == len(bot.shown()) == 1


async def test_an_edit_of_what_led_to_no_plan_does_nothing(bot: Story) -> None:
    asked = bot.mia.say("/jobs")
    await bot.says("No jobs yet")
    bot.mia.edit(asked, "/finetune sample epochs:9")
    await bot.settled()
    assert (len(bot.agent.plans), len(bot.shown())) == (0, 1)


@pytest.mark.parametrize("label", ["Start", "Not now"])
async def test_a_plan_that_was_started_or_turned_down_stays_so(bot: Story, label: str) -> None:
    asked = bot.mia.say("/finetune sample")
    await bot.planned()
    bot.mia.press(label)
    await bot.until(lambda: bot.last().labels[:1] != ["Start"])
    await bot.settled()
    bot.mia.edit(asked, "/finetune sample epochs:9")
    await bot.settled()
    assert (len(bot.agent.plans), len(bot.shown())) == (1, 1)


async def test_what_cannot_be_is_refused_in_words(bot: Story) -> None:
    asked = bot.mia.say("/finetune sample")
    await bot.planned()
    bot.mia.edit(asked, "/finetune sample epochs:many")
    await bot.until(lambda: len(bot.shown()) == 2)
    assert "many" in bot.last().text
    assert len(bot.agent.plans) == 1


async def test_a_plan_behind_a_question_is_changed_as_well(bot: Story) -> None:
    bot.agent.question = COLUMNS
    sent = bot.mia.send_file("tickets.csv", caption="/finetune")
    await bot.says("Which columns?")
    bot.mia.press("Yes, read it so")
    await bot.planned()
    bot.mia.edit(sent, "/finetune epochs:9")
    await bot.until(lambda: epochs(bot)[1:] == [9])


async def test_the_next_bot_knows_which_message_led_to_a_plan(story: Story, tmp_path: Path) -> None:
    async with running_bot(story, tmp_path):
        asked = story.mia.say("/finetune sample")
        await story.planned()
    async with running_bot(story, tmp_path):
        story.mia.edit(asked, "/finetune sample epochs:9")
        await changed(story)


async def test_in_a_group_that_moved_another_message_of_that_number_changes_nothing(bot: Story) -> None:
    bot.telegram.world.add_group(-55, basic=True)
    asked = bot.mia.say("/finetune sample", chat=-55)
    await bot.planned(chat=-55)
    bot.telegram.upgrade(-55, TEAM)
    await bot.settled()
    bot.mia.edit(asked, "/finetune sample epochs:9")
    await bot.settled()
    assert len(bot.agent.plans) == 1
