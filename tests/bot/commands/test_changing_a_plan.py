"""A plan before it is started: changed by taps in place, or by words alone, without an id in anybody's sight."""

import asyncio
import re

import pytest

from bot.core.reply import Reply, Weight
from shared.mapping import Mapping
from shared.plans import MethodChoice, Preset
from tests.bot.harness import Bot, dataset
from tests.bot.questions import COLUMNS, NOBODY
from tests.fakes.agent_server import NOW, FakeAgent

ID = re.compile(r"\b(?:file|ftplan|insp|ftjob)-")


def shows_no_id(reply: Reply) -> bool:
    return not ID.search(reply.text + "".join(line for copy in reply.copy for line in copy.lines))


async def test_from_a_plan_to_a_changed_setting_are_two_taps_in_one_message(agent: FakeAgent, bot: Bot) -> None:
    await bot.say("/finetune", dataset())
    panel = await bot.press("Change")
    assert panel.title == "Change · toast"
    assert panel.summary.startswith("Learns from smollm2-135m · 5 epochs\n3 to 5 min")
    assert [button.label for button in panel.buttons] == [
        "Quick look", "Thorough", "2 epochs", "8 epochs", "Another model", "When", "Name", "Character", "Advanced",
        "Back", "Start",
    ]  # fmt: skip
    assert [button.label for button in panel.buttons if button.weight is Weight.primary] == ["Start"]
    await bot.press("8 epochs")
    assert agent.plan_requests[1].method.hyperparameters.n_epochs == 8
    assert agent.plan_requests[1].training_file == "file-1"
    await bot.press("Thorough")
    assert agent.plan_requests[2].preset is Preset.thorough
    assert agent.plan_requests[2].method.hyperparameters.n_epochs == "auto", "another preset begins anew"
    assert len(bot.chat.messages) == 1
    newest = list(agent.plans)[-1]
    await bot.press("Start")
    assert agent.job_requests[0].plan == newest
    assert len(bot.chat.messages) == 1


async def test_every_page_of_the_panel_leads_back_and_fits_its_buttons(agent: FakeAgent, bot: Bot) -> None:
    await bot.say("/finetune", dataset())
    for page in ("Another model", "When", "Name", "Character", "Advanced"):
        bot.clock.advance(60)  # nobody taps faster than is allowed
        await bot.press("Change")
        shown = await bot.press(page)
        assert shown.title.endswith("· toast")
        assert shows_no_id(shown)
        assert all(len(button.line.encode()) <= 64 and len(button.label) <= 20 for button in shown.buttons)
        await bot.press("Back")
        assert (await bot.press("Back")).title == "mia.jsonl · 104 chat rows → toast"
    assert len(bot.chat.messages) == 1


async def test_advanced_shows_each_setting_its_reason_and_three_others(agent: FakeAgent, bot: Bot) -> None:
    await bot.say("/finetune rank:32", dataset())
    await bot.press("Change")
    advanced = await bot.press("Advanced")
    for said in ("epochs: 5\n  Few rows", "rank: 16", "QLoRA", "RAM at the peak"):
        assert said in advanced.text
    rank = await bot.press("rank")
    assert rank.summary.startswith("Now 16.\nEnough for a style")
    assert [button.label for button in rank.buttons] == ["4", "8", "32", "As computed", "Back"]
    await bot.press("As computed")
    assert agent.plan_requests[-1].method.hyperparameters.r == "auto"


async def test_another_way_to_learn_is_one_tap_away(agent: FakeAgent, bot: Bot) -> None:
    agent.methods = [
        MethodChoice(type="supervised", title="learns the answers"),
        MethodChoice(type="dpo", title="learns from better and worse answers"),
    ]
    plan = await bot.say("/finetune method:dpo epochs:2", dataset())
    assert "\nLearns from better and worse answers (dpo)\n" in plan.summary
    page = await bot.press("Method")
    assert page.title == "How does it learn? · toast"
    assert "Now it learns from better and worse answers." in page.text
    assert [button.label for button in page.buttons] == ["Answers alone", "Back"]
    await bot.press("Answers alone")
    assert [request.method.type for request in agent.plan_requests] == ["dpo", "supervised"]
    assert agent.plan_requests[1].method.hyperparameters.n_epochs == 2, "what was asked for otherwise stays"
    assert "better and worse" not in bot.chat.last.text


async def test_a_method_that_there_is_not_is_refused_with_those_there_are(agent: FakeAgent, bot: Bot) -> None:
    refused = await bot.say("/finetune method:ppo", dataset())
    assert "method:ppo is not possible. It is one of: supervised, pretraining, dpo, orpo, kto." in refused.text
    assert not agent.plan_requests


async def test_it_may_start_later_by_a_tap(agent: FakeAgent, bot: Bot) -> None:
    await bot.say("/finetune", dataset())
    await bot.press("Change")
    await bot.press("When")
    panel = await bot.press("In 1 hour")
    assert "· starts " in panel.summary
    assert "· starts now" not in panel.summary
    assert len(agent.plan_requests) == 1, "when it starts is no matter of the plan"
    await bot.press("Start")
    assert agent.job_requests[0].start_at is not None
    await bot.say("/finetune", dataset())
    await bot.press("Change")
    await bot.press("When")
    await bot.press("In 1 hour")
    await bot.press("When")
    assert "· starts now" in (await bot.press("Now")).summary


@pytest.mark.parametrize("said", ["epochs 7", "epochs:7", "make it 7 epochs please", "7 Epochen bitte"])
async def test_words_alone_change_the_plan_that_was_shown_last(agent: FakeAgent, bot: Bot, said: str) -> None:
    await bot.say("/finetune rank:8", dataset())
    card = await bot.say("", said=said)
    assert card.title == "mia.jsonl · 104 chat rows → toast"
    wanted = agent.plan_requests[1].method.hyperparameters
    assert (wanted.n_epochs, wanted.r) == (7, 8)


async def test_several_options_and_a_name_and_a_time_are_words_too(agent: FakeAgent, bot: Bot) -> None:
    await bot.say("/finetune", dataset())
    card = await bot.say("", said="epochs 5, name crumb, in 2 hours")
    assert card.title.endswith("→ crumb")
    assert card.buttons[0].line.startswith("/finetune plan:ftplan-")
    assert " at:" in card.buttons[0].line


async def test_after_the_start_words_change_nothing(agent: FakeAgent, bot: Bot) -> None:
    await bot.say("/finetune", dataset())
    await bot.say("/finetune", dataset())
    await bot.press("Start")
    await bot.say("", said="epochs 7")
    assert len(agent.plan_requests) == 2
    assert "started already" in (await bot.say("/finetune change:2")).text


async def test_somebody_elses_plan_is_not_changed_by_words(agent: FakeAgent, bot: Bot) -> None:
    await bot.say("/finetune", dataset())
    await bot.say("", said="epochs 7", person="tom")
    assert len(agent.plan_requests) == 1


async def test_a_model_that_no_row_says_anything_of_is_given_a_character(agent: FakeAgent, bot: Bot) -> None:
    agent.findings = [NOBODY]
    await bot.say("/finetune epochs:3", dataset())
    page = await bot.press("Give it a character")
    assert "Write it, like: character: You are Ruth" in page.text
    assert [button.label for button in page.buttons][:2] == ["A pirate", "A kind teacher"]
    await bot.press("A pirate")
    assert agent.plan_requests[-1].mapping == Mapping(character="You are Ruth, a pirate.")
    await bot.say("", said='Character: You are Mia, who says "Ahoy". You answer in one sentence.')
    wanted = agent.plan_requests[-1]
    assert wanted.mapping == Mapping(character='You are Mia, who says "Ahoy". You answer in one sentence.')
    assert wanted.method.hyperparameters.n_epochs == 3
    await bot.press("Change")
    assert 'Now: You are Mia, who says "Ahoy".' in (await bot.press("Character")).text


async def test_a_change_that_does_not_fit_says_what_would_and_leads_back(agent: FakeAgent, bot: Bot) -> None:
    await bot.say("/finetune", dataset())
    agent.too_little_memory = True
    refused = await bot.say("", said="model acme/large")
    assert refused.title == "Does not fit · toast"
    assert [button.label for button in refused.buttons] == ["512 tokens a row", "smollm2-135m", "Back"]
    assert (await bot.press("Back")).title == "Change · toast"


async def test_columns_are_named_in_words_alone(agent: FakeAgent, bot: Bot) -> None:
    agent.question = COLUMNS
    question = await bot.say("/finetune epochs:3", dataset("tickets.csv"))
    assert shows_no_id(question)
    agent.question = None
    card = await bot.say("", said="question:Kunde answer:Team")
    assert card.title.startswith("tickets.csv · ")
    wanted = agent.plan_requests[0]
    assert wanted.mapping == Mapping(question="Kunde", answer="Team")
    assert wanted.method.hyperparameters.n_epochs == 3


async def test_buttons_of_a_card_from_before_there_was_a_panel_still_work(agent: FakeAgent, bot: Bot) -> None:
    await bot.say("/finetune", dataset())
    [plan] = agent.plans
    assert (await bot.say(f"/finetune change:{plan} at:{NOW + 7200}", message_id="m1")).title == "Change · toast"
    assert (await bot.say(f"/finetune character_of:{plan}", message_id="m1")).title.startswith("Who should it be?")
    assert (await bot.say(f"/finetune forget:{plan}", message_id="m1")).title.startswith("Not started")


@pytest.mark.parametrize("word", ["qwen", "Qwen2.5", "QWEN-2.5-1.5b"])
async def test_a_part_of_a_models_name_finds_it(agent: FakeAgent, bot: Bot, word: str) -> None:
    await bot.say(f"/finetune model:{word}", dataset())
    assert agent.plan_requests[0].model == "Qwen/Qwen2.5-1.5B-Instruct"
    await bot.say("", said="model smollm")
    assert agent.plan_requests[1].model == "smollm2-135m"
    await bot.say("/finetune model:nobody", dataset())
    assert agent.plan_requests[2].model == "nobody", "the agent says that there is none"


async def test_somebody_elses_plan_is_not_changed_by_a_tap_and_what_cannot_be_read_is_said(
    agent: FakeAgent, bot: Bot
) -> None:
    await bot.say("/finetune", dataset())
    refused = await bot.say("/finetune change:1 epochs:2", person="tom", message_id="m1")
    assert "somebody else's plan" in refused.text
    assert "I cannot read “rnak”" in (await bot.say("/finetune look:1 rnak 32")).text
    assert len(agent.plan_requests) == 1


async def test_words_change_the_panel_that_was_opened_last_not_the_plan_that_was_made_last(
    agent: FakeAgent, bot: Bot
) -> None:
    first = await bot.say("/finetune name:bread", dataset())
    await bot.say("/finetune name:crumb", dataset())
    bot.clock.advance(60)
    await bot.say(next(it.line for it in first.buttons if it.label == "Change"))
    await bot.say("", said="epochs 7")
    assert (agent.plan_requests[-1].suffix, agent.plan_requests[-1].method.hyperparameters.n_epochs) == ("bread", 7)


async def test_two_quick_taps_both_count(agent: FakeAgent, bot: Bot) -> None:
    await bot.say("/finetune", dataset())
    panel = await bot.press("Change")
    lines = {it.label: it.line for it in panel.buttons}
    await asyncio.gather(bot.say(f"{lines['Back']} rank:32"), bot.say(lines["8 epochs"]))
    settings = agent.plan_requests[-1].method.hyperparameters
    assert (settings.r, settings.n_epochs) == (32, 8)


async def test_another_file_is_planned_as_the_first_was_also_after_a_question(agent: FakeAgent, bot: Bot) -> None:
    plan = await bot.say("/finetune preset:thorough rank:32 name:bread at:+3h seed:7", dataset())
    await bot.say('/finetune look:1 character:"You are Ruth."')
    agent.question = COLUMNS
    asked = await bot.say("/finetune look:1 epochs:2", dataset())
    assert asked.title.startswith("Which columns?")
    agent.question = None
    await bot.say(asked.buttons[0].line)
    request, settings = agent.plan_requests[-1], agent.plan_requests[-1].method.hyperparameters
    assert request.preset is Preset.thorough
    assert (request.suffix, request.seed, settings.r, settings.n_epochs) == ("bread", 7, 32, 2)
    assert request.mapping is not None
    assert (request.mapping.question, request.mapping.character) == ("Kunde", "You are Ruth.")
    assert plan.buttons
    assert "At " in bot.chat.last.text or "at " in bot.chat.last.text
