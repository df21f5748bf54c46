"""All the ways in which a person can ask on Discord, and who is told no."""

import time
from pathlib import Path
from typing import Any

import pytest

from bot.commands import COMMANDS
from bot.discord_ui.commands import MENUS
from bot.discord_ui.place import DiscordPlace
from shared.errors import ErrorCode
from shared.mapping import Mapping
from shared.plans import Preset
from tests.bot.discord_ui.harness import ROWS, Story, running_bot
from tests.bot.questions import NOBODY
from tests.fakes.agent_server import refusal
from tests.fakes.discord_server import Person
from tests.fakes.discord_server.interactions import MODAL

TOM = 8


async def test_every_command_is_acknowledged_within_a_second_with_the_agent_down(bot: Story) -> None:
    await bot.agent.stop()
    for command in COMMANDS:
        given: dict[str, Any] = {"text": "x"} if command.name == "pair" else {}
        begun = time.monotonic()
        happened = await bot.mia.slash(command.name, channel=bot.team, **given)
        await bot.until(lambda it=happened: it.answered_at is not None)  # type: ignore[misc]
        assert time.monotonic() - begun < 1, command.name
        await bot.until(lambda: not any(message.thinking for message in bot.discord.world.messages.values()))
        bot.clock.advance(10)
    assert bot.discord.interactions.refused == []


async def test_with_the_agent_away_change_is_answered_in_words(bot: Story) -> None:
    await bot.mia.slash("finetune", options="sample", channel=bot.team)
    await bot.planned()
    card = bot.last()
    await bot.agent.stop()
    pressed = await bot.mia.press("Change", message=card)
    await bot.until(lambda: "I cannot reach the agent" in bot.flat())
    assert pressed.answer != MODAL


async def test_jobs_and_models_are_suggested(bot: Story) -> None:
    for number in range(30):
        bot.agent.add_job(suffix=f"cat-{number}")
    typed = await bot.mia.type("plot", "job", "cat-2", channel=bot.team)
    await bot.until(lambda: typed.answered_at)
    assert typed.choices[0]["name"].startswith("#30 cat-29 · ")
    assert {"#3", "#21"} <= {choice["value"] for choice in typed.choices}
    typed = await bot.mia.type("plot", "job", "", channel=bot.team)
    await bot.until(lambda: typed.answered_at)
    assert len(typed.choices) == 25
    typed = await bot.mia.type("finetune", "model", "SMOL", channel=bot.team)
    await bot.until(lambda: typed.answered_at)
    assert [choice["value"] for choice in typed.choices] == ["smollm2-135m"]


async def test_a_dataset_that_was_sent_before_is_chosen_from_a_list_and_a_preset_from_another(bot: Story) -> None:
    await bot.mia.slash("finetune", file=ROWS, channel=bot.team)
    await bot.planned()
    typed = await bot.mia.type("finetune", "dataset", "row", channel=bot.team)
    await bot.until(lambda: typed.answered_at)
    assert [choice["name"].split(" · ")[0] for choice in typed.choices] == ["rows.jsonl"]
    await bot.mia.slash("finetune", dataset=typed.choices[0]["value"], preset="thorough", channel=bot.team)
    await bot.until(lambda: len(bot.agent.plan_requests) == 2)
    first, second = bot.agent.plan_requests
    assert (second.training_file, second.preset) == (first.training_file, Preset.thorough)


async def test_an_interaction_delivered_twice_makes_one_plan_also_after_a_restart(story: Story, tmp_path: Path) -> None:
    async with running_bot(story, tmp_path):
        happened = await story.mia.slash("finetune", options="sample", channel=story.team)
        await story.mia.again(happened)
        await story.planned()
        pressed = await story.mia.press("Start", channel=story.team)
        await story.mia.again(pressed)
        await story.until(lambda: story.agent.jobs)
        await story.settled()
    async with running_bot(story, tmp_path):
        await story.mia.again(happened)
        await story.mia.again(pressed)
        await story.settled()
    assert (len(story.agent.plan_requests), len(story.agent.job_requests), len(story.shown())) == (1, 1, 1)


async def test_a_stranger_who_asks_is_refused_where_nobody_else_sees_it(bot: Story) -> None:
    tom = Person(bot.discord, TOM, "Tom")
    why = "You may not use this machine."
    bot.agent.refuse["/v1/fine_tuning/jobs"] = refusal(ErrorCode.not_allowed, why)
    await tom.slash("jobs", channel=bot.team)
    await bot.says(why)
    assert [message.seen_by for message in bot.shown()] == [TOM]


async def test_a_sign_of_life_goes_away_when_the_answer_is_there(bot: Story) -> None:
    card = await bot.starts_a_job()
    gate = bot.agent.gate("GET", "/v1/fine_tuning/jobs/1")
    await bot.mia.press("Stop", message=card)
    await bot.says("One moment")
    assert bot.last().seen_by == bot.mia.id
    gate.open.set()
    await bot.until(lambda: "One moment" not in bot.flat() and "Stop #1 toast?" in bot.flat())


async def test_where_the_bot_may_not_write_it_says_what_it_needs(bot: Story) -> None:
    bot.discord.world.channels[bot.team].permissions = 0
    await bot.mia.slash("finetune", options="sample", channel=bot.team)
    await bot.says("I may not write in this channel")
    assert bot.last().seen_by == bot.mia.id
    assert "Send Messages" in bot.flat()
    assert not bot.agent.plans


@pytest.mark.parametrize(
    ("chat_id", "place"),
    [
        ("12", DiscordPlace(channel=12)),
        ("12:34", DiscordPlace(channel=12, thread=34)),
        ("-12", None),
        ("12:", None),
        ("x", None),
    ],
)
def test_a_chat_id_names_a_channel_or_a_thread(chat_id: str, place: DiscordPlace | None) -> None:
    assert DiscordPlace.read(chat_id) == place
    assert place is None or str(place) == chat_id


async def test_discord_is_told_every_command_of_the_table_and_a_menu_for_files(bot: Story) -> None:
    known = bot.discord.rest.commands
    assert {it["name"]: it["description"] for it in known if it["type"] == 1} == {
        it.name: it.summary for it in COMMANDS
    }
    assert {it["name"] for it in known if it["type"] == 3} == set(MENUS.values())
    assert all(it["contexts"] == [0, 1] for it in known)  # servers and direct messages
    assert bot.discord.gateway.identified == [1 | 1 << 9 | 1 << 12]  # servers and messages, without the words of others


async def test_discord_is_told_the_commands_in_german_under_the_same_names(bot: Story) -> None:
    known = {it["name"]: it for it in bot.discord.rest.commands}
    assert not any(it.get("name_localizations") for it in known.values() if it["type"] == 1)
    assert known["cancel"]["description_localizations"] == {"de": "einen Job beenden"}
    option = next(it for it in known["finetune"]["options"] if it["name"] == "at")
    assert option["description_localizations"] == {"de": "nicht vorher: 22:00, +2h"}
    assert known["Look at this file"]["name_localizations"] == {"de": "Diese Datei ansehen"}


async def test_a_german_is_answered_in_german_also_by_forms(bot: Story) -> None:
    hans = Person(bot.discord, 9, "Hans", locale="de")
    await hans.slash("finetune", channel=bot.team, options="sample")
    await bot.says("toast.jsonl · ")
    assert bot.last().labels[:3] == ["Start", "Ändern", "Zeile ansehen"]
    form = await hans.press("Ändern", channel=bot.team)
    await bot.until(lambda: form.form is not None)
    assert form.form is not None
    assert form.form["title"] == "Den Plan ändern"
    await hans.slash("log", channel=bot.team, job="abc")
    await bot.until(lambda: "„abc“ ist kein Job" in bot.flat())
    await bot.mia.slash("gpu", channel=bot.team)
    await bot.says("Free")


async def test_with_the_agent_away_nothing_is_suggested_and_that_in_time(bot: Story) -> None:
    await bot.agent.stop()
    typed = await bot.mia.type("plot", "job", "", channel=bot.team)
    await bot.until(lambda: typed.answered_at)
    assert typed.choices == []


async def test_a_message_with_a_file_has_a_menu_and_one_without_says_so_in_private(bot: Story) -> None:
    await bot.mia.menu("Fine-tune on this file", bot.mia.send(ROWS, channel=bot.team))
    await bot.says("rows.jsonl · ")
    await bot.mia.menu("Fine-tune on this file", bot.mia.send(channel=bot.team))
    await bot.says("There is no file on that message.")
    assert bot.last().seen_by == bot.mia.id


async def test_change_opens_a_form_and_what_is_filled_in_changes_the_plan_in_place(bot: Story) -> None:
    await bot.mia.slash("finetune", file=ROWS, channel=bot.team, name="mia", learning_rate="1e-4")
    await bot.planned()
    opened = await bot.mia.press("Change", channel=bot.team)
    await bot.until(lambda: opened.form)
    assert opened.form is not None
    assert [label["label"] for label in opened.form["components"]] == [
        "Epochs", "How thoroughly", "Which model learns", "Another dataset", "More",
    ]  # fmt: skip
    assert opened.form["components"][0]["component"]["placeholder"] == "As it is: 5"
    messages = len(bot.shown())
    await bot.mia.submit(opened, epochs="7", more="rank 8 name Mia-Lund")
    await bot.until(lambda: len(bot.agent.plans) == 2 and bot.last().labels[:1] == ["Start"])
    changed = bot.agent.plan_requests[1]
    asked = changed.method.hyperparameters
    assert (asked.n_epochs, asked.r, asked.learning_rate) == (7, 8, 1e-4)
    assert (changed.training_file, changed.suffix, changed.preset) == ("file-1", "mia-lund", Preset.balanced)
    assert len(bot.shown()) == messages


async def test_a_form_takes_another_file_also_after_a_restart(story: Story, tmp_path: Path) -> None:
    async with running_bot(story, tmp_path):
        await story.mia.slash("finetune", file=ROWS, channel=story.team, name="mia", epochs=7)
        await story.planned()
        opened = await story.mia.press("Change", channel=story.team)
        await story.until(lambda: opened.form)
    async with running_bot(story, tmp_path):
        await story.mia.submit(opened, ("other.jsonl", b"{}\n"), preset="quick")
        await story.says("other.jsonl · ")
    other = next(file for file, _ in story.agent.files.values() if file.filename == "other.jsonl")
    again = story.agent.plan_requests[1]
    assert (again.suffix, again.preset, again.training_file) == ("mia", Preset.quick_look, other.id)


async def test_a_character_is_given_in_a_form(bot: Story) -> None:
    bot.agent.findings = [NOBODY]
    await bot.mia.slash("finetune", file=ROWS, channel=bot.team, name="mia")
    await bot.planned()
    opened = await bot.mia.press("Give it a character", channel=bot.team)
    await bot.until(lambda: opened.form)
    await bot.mia.submit(opened, character='You are Mia.\nYou say "Ahoy".')
    await bot.until(lambda: len(bot.agent.plan_requests) == 2)
    assert bot.agent.plan_requests[1].mapping == Mapping(character='You are Mia.\nYou say "Ahoy".')


async def test_a_stranger_who_presses_is_refused_where_nobody_else_sees_it(bot: Story) -> None:
    tom = Person(bot.discord, TOM, "Tom")
    card = await bot.starts_a_job()
    await bot.mia.press("Stop", message=card)
    await bot.says("Stop #1 toast?")
    why = "Only Mia may cancel #1."
    bot.agent.refuse["/v1/fine_tuning/jobs/ftjob-1/cancel"] = refusal(ErrorCode.not_allowed, why)
    await tom.press("Yes, stop it", channel=bot.team)
    await bot.says(why)
    assert bot.last().seen_by == TOM
    assert "Yes, stop it" in bot.shown()[-2].labels  # the question stands for who may answer it
