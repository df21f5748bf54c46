"""A file that does not say how it is read: the question, its answers, and how few taps they take."""

import pytest

from shared.errors import ErrorCode
from shared.inspections import Choice, DatasetForm, Question, SeenSpeaker
from shared.language import LANGUAGES
from shared.mapping import Mapping
from tests.bot.commands.test_dataset_findings import FOUND
from tests.bot.harness import Bot, dataset, fits
from tests.bot.questions import A_LABEL, BEST, COLUMNS, NOTHING_LIKELY, PEOPLE
from tests.fakes.agent_server import FakeAgent, refusal

BUTTON_BYTES = 64


async def test_who_the_model_is_to_be_outlives_a_question(agent: FakeAgent, bot: Bot) -> None:
    agent.question = COLUMNS
    await bot.say('/finetune epochs:3 system:"You are Ruth, a pirate."', dataset("tickets.csv"))
    plan = await bot.press("Yes, read it so")
    wanted = agent.plan_requests[0]
    assert wanted.mapping == BEST.model_copy(update={"character": "You are Ruth, a pirate."})
    assert wanted.method.hyperparameters.n_epochs == 3
    assert "Character: You are Ruth, a pirate." in plan.text
    long = "You are Ruth. " + "You like the sea. " * 20  # longer than a column's name
    await bot.say(f'/finetune system:"{long}"', dataset("tickets.csv"))
    asked = next(iter(reversed(agent.inspections)))
    await bot.say(f"/finetune of:{asked} question:Kunde answer:Antwort epochs:2")
    wanted = agent.plan_requests[-1]
    assert wanted.mapping == Mapping(question="Kunde", answer="Antwort", character=long.strip())
    assert wanted.method.hyperparameters.n_epochs == 2


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "question", [COLUMNS, PEOPLE, NOTHING_LIKELY, A_LABEL], ids=["columns", "people", "nothing", "label"]
)
@pytest.mark.parametrize("private", [True, False])
async def test_every_question_fits_a_phone(
    agent: FakeAgent, bot: Bot, question: Question, private: bool, language: str
) -> None:
    agent.question = question
    for line in ("/finetune", "/dataset"):
        reply = await bot.say(line, dataset("tickets.csv"), private=private, locale=language)
        assert fits(reply.text)
        assert all(len(button.label) <= 20 and len(button.line) <= BUTTON_BYTES for button in reply.buttons)
        assert ("Wo ist Paket" in reply.text) is (private and bool(question.choices)), (
            "rows are shown to others only on request"
        )


async def test_columns_are_seen_proposed_with_three_rows_and_confirmed_by_a_tap(agent: FakeAgent, bot: Bot) -> None:
    agent.question = COLUMNS
    reply = await bot.say("/finetune epochs:3 name:support", dataset("tickets.csv"))
    assert reply.text.startswith("Which columns? · tickets.csv\nThe names of these columns")
    assert "- Kunde: Wo ist Paket 1?" in reply.text
    assert "I would read it so\nAsked: Kunde\nAnswered: Unsere Antwort" in reply.text
    assert reply.text.count("› Es ist bei [e-mail].") == 3
    assert [button.label for button in reply.buttons] == ["Yes, read it so", "Unsere… → Kunde", "Only Unsere Antwort"]
    assert not agent.plan_requests
    plan = await bot.press("Yes, read it so")
    assert plan.title == "tickets.csv · 104 chat rows → support"
    assert "Asked: Kunde\nAnswered: Unsere Antwort" in plan.text
    wanted = agent.plan_requests[0]
    assert (wanted.mapping, wanted.suffix) == (BEST, "support")
    assert wanted.method.hyperparameters.n_epochs == 3, "what was typed outlives the question"
    assert len(bot.chat.messages) == 1, "the answer takes the place of the question"
    await bot.press("Start")
    assert list(agent.jobs) == ["ftjob-1"]


async def test_where_nothing_is_likely_nothing_is_proposed_and_columns_can_still_be_named(
    agent: FakeAgent, bot: Bot
) -> None:
    agent.question = NOTHING_LIKELY
    reply = await bot.say("/finetune", dataset("chats.csv"))
    assert "I see no question with its answer" in " ".join(reply.text.split())
    assert "- conversation_id (ids)" in reply.text
    assert "I would read it so" not in reply.text
    assert list(reply.buttons) == []
    assert reply.copy[0].lines[0] == "question:COLUMN_1 answer:COLUMN_2"


async def test_a_label_that_nobody_knows_is_asked_about(agent: FakeAgent, bot: Bot) -> None:
    agent.question = A_LABEL
    reply = await bot.say("/finetune", dataset("rated.csv"))
    assert "What does label mean? If it marks rows that are bad" in " ".join(reply.text.split())


async def test_an_answer_that_leads_nowhere_says_so_in_place_of_its_question(agent: FakeAgent, bot: Bot) -> None:
    agent.question = COLUMNS
    await bot.say("/finetune", dataset("tickets.csv"))
    agent.inspection_error = refusal(ErrorCode.dataset_too_small, "No row is usable.")
    await bot.press("Yes, read it so")
    assert bot.chat.last.text.startswith("No row is usable.")
    assert len(bot.chat.messages) == 1


async def test_a_telephone_number_is_not_told_to_a_group(agent: FakeAgent, bot: Bot) -> None:
    names = ("+49 170 1234567", "Tom", "Mia")
    choices = [Choice(mapping=Mapping(assistant=name)) for name in names]
    choices += [Choice(mapping=Mapping(without=(name,))) for name in names]
    speakers = [SeenSpeaker(name=name, messages=9) for name in names]
    agent.question = Question(about="assistant", speakers=speakers, choices=choices)
    reply = await bot.say("/finetune", dataset("chat.txt"), private=False)
    assert "- +49 … 67: 9 messages" in reply.text
    assert "1234567" not in f"{reply.text} {reply.buttons}"


async def test_other_columns_can_be_typed_and_the_line_to_type_is_there(agent: FakeAgent, bot: Bot) -> None:
    agent.question = COLUMNS
    line = (await bot.say("/finetune at:23:00 seed:7", dataset("tickets.csv"))).copy[0].lines[0]
    assert line == "question:Kunde answer:Unsere_Antwort"
    await bot.say("", said=line.replace("question:Kunde", "question:Betreff"))
    wanted = agent.plan_requests[0]
    assert (wanted.mapping, wanted.seed) == (Mapping(question="Betreff", answer="Unsere_Antwort"), 7)
    await bot.press("Change")
    await bot.press("2 epochs")
    assert agent.plan_requests[1].mapping == wanted.mapping


async def test_a_person_is_left_out_and_another_is_the_assistant(agent: FakeAgent, bot: Bot) -> None:
    agent.question = PEOPLE
    reply = await bot.say("/finetune", dataset("result.json"))
    assert reply.text.startswith("Who is the assistant? · result.json\n\n- Mia Lund: 2,000 messages\n")
    assert [button.label for button in reply.buttons] == [
        "Mia Lund", "Ada Berg-Lindqvist…", "Tom", "Without Mia Lund", "Without Ada Berg-Li…", "Without Tom",
    ]  # fmt: skip
    mia = Mapping(assistant="Mia Lund", without=("Tom",))
    agent.question = Question(
        about="assistant", speakers=[SeenSpeaker(name="Mia Lund", messages=9)], choices=[Choice(mapping=mia)]
    )
    assert (await bot.press("Without Tom")).text.startswith("Who is the assistant?")
    plan = await bot.press("Mia Lund")
    assert "The assistant: Mia Lund\nAll others have numbers for names.\nLeft out: Tom" in plan.text
    assert agent.plan_requests[0].mapping == mia
    assert len(bot.chat.messages) == 1


async def test_looking_at_it_asks_too_and_goes_on_from_the_answer(agent: FakeAgent, bot: Bot) -> None:
    agent.question = COLUMNS
    reply = await bot.say("/dataset", dataset("tickets.csv"), private=False)
    assert [button.label for button in reply.buttons][-1] == "Show rows"
    assert "› Es ist bei" in (await bot.press("Show rows", private=False)).text
    card = await bot.press("Yes, read it so", private=False)
    assert card.title == "tickets.csv · 104 chat rows"
    assert "I am Toast" in (await bot.press("See a row", private=False)).text
    await bot.press("Fine-tune")
    assert agent.plan_requests[0].mapping == BEST


async def test_what_was_asked_for_is_kept_while_rows_are_looked_at(agent: FakeAgent, bot: Bot) -> None:
    agent.question = COLUMNS
    await bot.say("/finetune seed:7", dataset("tickets.csv"), private=False)
    await bot.press("Show rows", private=False)
    await bot.press("Yes, read it so", private=False)
    assert (agent.plan_requests[0].mapping, agent.plan_requests[0].seed) == (BEST, 7)


async def test_a_fix_of_a_file_reads_it_as_said(agent: FakeAgent, bot: Bot) -> None:
    agent.question = COLUMNS
    await bot.say("/dataset", dataset("tickets.csv"))
    agent.findings = FOUND
    await bot.press("Yes, read it so")
    await bot.press("Mask private data")
    assert agent.fix_requests[0].mapping == BEST


async def test_an_answer_to_nothing_is_said(agent: FakeAgent, bot: Bot) -> None:
    agent.question = COLUMNS
    await bot.say("/finetune", dataset("tickets.csv"))
    (asked,) = agent.inspections
    for line in (f"/finetune of:{asked}.9", f"/dataset {asked}.9"):
        assert "answers nothing that I asked" in " ".join((await bot.say(line)).text.split())
    assert not agent.plan_requests


async def test_a_job_that_was_read_so_is_trained_again_so(agent: FakeAgent, bot: Bot) -> None:
    agent.question = COLUMNS
    await bot.say("/finetune", dataset("tickets.csv"))
    await bot.press("Yes, read it so")
    await bot.press("Start")
    await bot.say("/retry #1 epochs:5")
    assert agent.plan_requests[1].mapping == BEST


async def test_what_a_text_teaches_is_said(agent: FakeAgent, bot: Bot) -> None:
    agent.form = DatasetForm.text
    reply = await bot.say("/finetune", dataset("book.md"))
    assert "104 passages of text" in reply.text
    assert "but not how to answer." in " ".join((await bot.press("Check data")).text.split())
