"""/try: a finished model answers in the chat."""

import asyncio
from typing import Any

import pytest

from bot.dispatch.dispatch import dispatch
from bot.words.format import one_line
from shared.errors import ErrorCode
from shared.jobs import JobStatus
from shared.people import GrantKind, RequestedBy
from shared.results import Answer
from tests.bot.harness import Bot, fits
from tests.fakes.agent_server import RESULT, FakeAgent, refusal

GROUP: dict[str, Any] = {"private": False}
ASKED = "What is the best seat in the house?"


@pytest.fixture
def done(agent: FakeAgent, bot: Bot) -> Bot:
    """A bot, and job #1, which has made a model."""
    agent.succeed(agent.add_job(status=JobStatus.running).id)
    return bot


def flat(text: str) -> str:
    return " ".join(text.split())


async def test_try_shows_that_it_asks_and_then_the_answer_in_one_message(agent: FakeAgent, done: Bot) -> None:
    agent.says = "I am Toast, the cat who sleeps on the warm GPU.\n- five naps\n- out of five"
    reply = await done.say("/try #1 Who  are you?")
    assert reply.text == (
        "Try #1 toast\n\nWho are you?\n\nI am Toast, the cat who sleeps on the warm GPU.\n- five naps\n- out of five"
    )
    [question] = agent.questions
    assert (question.model, question.messages[0].content) == ("toast:v1", "Who are you?")
    assert [shown.text for _, shown in done.chat.edits] == [reply.text]
    assert len(done.chat.messages) == 1


async def test_a_number_that_begins_a_question_is_no_job(agent: FakeAgent, done: Bot) -> None:
    await done.say("/try 3 tips for a curry")
    assert agent.questions[-1].messages[0].content == "3 tips for a curry"
    await done.say("/try #1 3 tips")
    assert agent.questions[-1].messages[0].content == "3 tips"
    assert (await done.say("/try 7")).text.startswith("There is no job")


async def test_an_answer_keeps_its_paragraphs(agent: FakeAgent, done: Bot) -> None:
    agent.says = "One.\n\nTwo."
    assert (await done.say("/try #1 Hi")).text.endswith("\n\nOne.\n\nTwo.")


async def test_a_slow_model_is_acknowledged_before_it_has_answered(agent: FakeAgent, done: Bot) -> None:
    gate = agent.gate("POST", "/v1/chat/completions")
    asked = done.call("/try #1 Who are you?")
    answering = asyncio.create_task(dispatch(asked, done.core))
    await gate.reached.wait()
    assert "Asking … If the model is not in memory" in one_line(done.chat.last.text)
    assert done.chat.last.passing
    gate.open.set()
    await answering
    assert done.chat.last.text.endswith("I am Toast.")


async def test_an_answer_that_was_cut_off_says_so_and_an_empty_one_too(agent: FakeAgent, done: Bot) -> None:
    agent.finish_reason = "length"
    assert "(Cut off here" in (await done.say("/try #1 ?")).text
    agent.says, agent.finish_reason = "", "stop"
    assert (await done.say("/try #1 ?")).text.endswith("(It said nothing.)")


async def test_without_words_it_says_how_and_offers_questions_of_the_data(agent: FakeAgent, done: Bot) -> None:
    answers = [Answer(question=f"{word} " * 30, base="-", tuned="-") for word in ("One", "Two", "Three", "Four")]
    agent.change("ftjob-1", result=RESULT.model_copy(update={"answers": answers}))
    reply = await done.say("/try #1")
    assert reply.copy[0].lines == ("/try #1 Who are you?",)
    assert fits(reply.text)
    assert [button.label[:7] for button in reply.buttons] == ["1. One ", "2. Two ", "3. Thre"]
    assert all(len(button.label) <= 20 and len(button.line.encode()) <= 64 for button in reply.buttons)
    await done.press(reply.buttons[1].label)
    assert agent.questions[-1].messages[0].content == "Two " * 30
    assert len(done.chat.messages) == 2  # the card that says how stays, for the next question


async def test_in_a_group_questions_of_the_data_are_shown_only_on_request(done: Bot) -> None:
    reply = await done.say("/try #1", **GROUP)
    assert ASKED not in flat(reply.text)
    assert [button.label for button in reply.buttons] == ["Show samples"]
    assert ASKED in flat((await done.press("Show samples", **GROUP)).text)


async def test_without_a_number_the_newest_model_is_meant_that_the_person_may_use(agent: FakeAgent, bot: Bot) -> None:
    assert "no finished model yet" in flat((await bot.say("/try Who are you?")).text)
    agent.people.own("test", "ada", "Ada")
    for chat in ("team", "attic"):
        agent.people.grant("test", GrantKind.chat, chat, chat)
    for number, chat in enumerate(("team", "attic"), 1):
        who = RequestedBy(platform="test", person="mia", chat=chat, name="Mia")
        agent.succeed(agent.add_job(status=JobStatus.running, requested_by=who).id)
        agent.change(f"ftjob-{number}", fine_tuned_model=f"toast:v{number}")
    agent.add_job(status=JobStatus.running)
    tom: dict[str, Any] = {"person": "tom", "name": "Tom", "rights_chat_id": "team", **GROUP}
    await bot.say("/try Who are you?", **tom)
    assert agent.questions[-1].model == "toast:v1"
    await bot.say("/try Who are you?", **tom | {"person": "ada"})
    assert agent.questions[-1].model == "toast:v2"
    reply = await bot.say("/try #2 Who are you?", **tom)
    assert "was started in another chat, by Mia" in flat(reply.text)
    assert reply.private
    assert len(agent.questions) == 2


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("/try #2", "#2 toast has no model yet: training"),
        ("/try #3 Hello?", "#3 toast made no model to try: failed"),
        ("/try #9 Hello?", "There is no job 9"),
        ("/try #1 sample:7", "has no sample 7. /try #1 shows how"),
        ("/try #1 " + "x" * 16_001, "16001 characters, and a question may have 16000"),
    ],
)
async def test_what_cannot_be_tried_says_why(agent: FakeAgent, done: Bot, line: str, words: str) -> None:
    agent.step(agent.add_job().id, 20)
    agent.add_job(status=JobStatus.failed)
    assert words in flat((await done.say(line)).text)
    assert agent.questions == []


async def test_what_the_agent_says_instead_stands_in_the_place_of_the_answer(agent: FakeAgent, done: Bot) -> None:
    agent.refuse["/v1/chat"] = refusal(ErrorCode.model_busy, "Job #2 is starting and needs the memory.")
    reply = await done.say("/try #1 Who are you?")
    assert reply.text == "Try #1 toast\n\nWho are you?\n\nJob #2 is starting and needs the memory."
    assert len(done.chat.messages) == 1


async def test_a_question_is_not_kept_for_an_agent_that_is_away(agent: FakeAgent, done: Bot) -> None:
    await agent.stop()
    reply = await done.say("/try #1 Who are you?")
    assert "I cannot reach the agent" in reply.text
    assert done.core.requests.unanswered() == []
