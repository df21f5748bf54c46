"""/chat: a talk with a finished model, in which the person just writes."""

import asyncio
from typing import Any

import pytest

from bot.core.reply import Weight
from bot.kept.talks import SILENT_S
from shared.chat import MESSAGE_LENGTH
from shared.errors import ErrorCode
from shared.jobs import JobStatus
from tests.bot.harness import Bot, RecordingChat, dataset, open_bot
from tests.fakes.agent_server import FakeAgent, refusal

GROUP: dict[str, Any] = {"private": False}


@pytest.fixture
def done(agent: FakeAgent, bot: Bot) -> Bot:
    """A bot, and job #1, which has made a model."""
    agent.succeed(agent.add_job(status=JobStatus.running).id)
    return bot


def asked(agent: FakeAgent) -> list[tuple[str, str | None]]:
    """Return what the model was given last."""
    return [(it.role, it.content) for it in agent.questions[-1].messages]


async def test_one_tap_on_the_result_leads_to_the_models_first_word(agent: FakeAgent, done: Bot) -> None:
    result = await done.say("/status #1")
    assert [it.label for it in result.buttons if it.weight is Weight.primary] == ["Chat"]
    told = await done.press("Chat")
    assert told.title == "Talk with toast"
    assert told.text.endswith("\n\nWho are you?\n\nI am Toast.")
    assert [it.label for it in told.buttons] == ["New talk", "End"]
    assert asked(agent) == [("user", "Who are you?")]


async def test_then_the_person_just_writes_and_it_remembers(agent: FakeAgent, done: Bot) -> None:
    await done.say("/chat toast")
    agent.says = "Mice, mostly."
    told = await done.say("", said="What do you eat?")
    assert told.text == "toast\n\nMice, mostly."
    assert asked(agent) == [
        ("user", "Who are you?"), ("assistant", "I am Toast."), ("user", "What do you eat?"),
    ]  # fmt: skip
    await done.press("New talk")
    await done.say("", said="And now?")
    assert asked(agent) == [("user", "And now?")]


async def test_words_that_would_mean_a_command_are_said_to_the_model_until_the_talk_ends(
    agent: FakeAgent, done: Bot
) -> None:
    await done.say("/chat")
    await done.say("", said="how far is it")
    assert asked(agent)[-1] == ("user", "how far is it")
    assert (await done.say("/gpu")).text.startswith("Free\n")  # a command is one all the same
    assert "The talk is over" in (await done.say("", said="End")).text
    questions = len(agent.questions)
    await done.say("", said="how far is it")
    assert len(agent.questions) == questions
    await done.press("Talk again")
    assert asked(agent) == [("user", "Who are you?")], "what was said was forgotten"


async def test_what_it_says_is_shown_as_it_says_it_in_one_message(agent: FakeAgent, done: Bot) -> None:
    agent.says = "one two three four"
    await done.say("/chat")

    async def a_second() -> None:
        done.clock.advance(1)
        for _ in range(50):  # let it arrive
            await asyncio.sleep(0)

    agent.between_words, edits = a_second, len(done.chat.edits)
    await done.say("", said="Count.")
    shown = [reply.text.removeprefix("toast\n\n") for _, reply in done.chat.edits[edits:]]
    assert shown[-1] == "one two three four"
    assert "one two …" in shown or "one two three …" in shown
    assert done.chat.last.live is False


async def test_an_answer_that_breaks_off_says_so_and_the_talk_goes_on(agent: FakeAgent, done: Bot) -> None:
    await done.say("/chat")
    agent.breaks_off = True
    told = await done.say("", said="Go on.")
    assert told.text == "toast\n\nI am Toast.\n\n(It broke off here: llama.cpp could not run it.)"
    agent.breaks_off = False
    await done.say("", said="And now?")
    assert asked(agent)[2:] == [("user", "Go on."), ("assistant", "I am Toast."), ("user", "And now?")]


async def test_an_answer_that_does_not_begin_is_not_remembered_and_the_talk_goes_on(
    agent: FakeAgent, done: Bot
) -> None:
    await done.say("/chat")
    agent.refuse["/v1/chat/completions"] = refusal(ErrorCode.model_failed, "llama.cpp could not run it.")
    assert (await done.say("", said="Go on.")).text == "toast\nllama.cpp could not run it."
    agent.refuse.clear()
    await done.say("", said="And now?")
    assert asked(agent) == [("user", "Who are you?"), ("assistant", "I am Toast."), ("user", "And now?")]


async def test_half_a_day_of_silence_ends_a_talk(agent: FakeAgent, done: Bot) -> None:
    await done.say("/chat")
    done.clock.advance(SILENT_S - 1)
    await done.say("", said="Still there?")
    assert asked(agent)[-1] == ("user", "Still there?")
    done.clock.advance(SILENT_S)
    questions = len(agent.questions)
    await done.say("", said="how far is it")
    assert len(agent.questions) == questions


async def test_one_word_that_is_no_jobs_name_is_said_to_the_newest_model(agent: FakeAgent, done: Bot) -> None:
    await done.say("/chat Hello")
    assert asked(agent) == [("user", "Hello")]
    await done.say("/chat toas")
    assert asked(agent) == [("user", "Who are you?")]


async def test_a_new_talk_is_with_the_model_whose_card_it_stands_on(agent: FakeAgent, done: Bot) -> None:
    first = await done.say("/chat #1")
    assert first.buttons[0].line == "/chat new #1"
    other = agent.add_job(status=JobStatus.running, suffix="crumb")
    agent.succeed(other.id)
    await done.say("/chat crumb")
    told = await done.say(first.buttons[0].line)
    assert told.title == "Talk with toast"
    assert asked(agent) == [("user", "Who are you?")]


async def test_more_than_it_can_read_is_forgotten_from_the_oldest_on(agent: FakeAgent, done: Bot) -> None:
    await done.say("/chat")
    for n in range(5):
        await done.say("", said=f"{n} {'x' * 100}")
    agent.reads = 200
    await done.say("", said="short")
    assert asked(agent)[-1] == ("user", "short")
    assert asked(agent)[0][0] == "user"
    assert len(asked(agent)) < 5
    assert "5000 tokens" in (await done.say("", said="y" * 300)).text


async def test_a_talk_outlives_a_restart_and_is_each_persons_own(agent: FakeAgent, done: Bot, tmp_path: Any) -> None:
    await done.say("/chat")
    await done.say("", said="Hello, who is this?", person="tom")
    assert len(agent.questions) == 1, "tom is in no talk"
    async with open_bot(agent, tmp_path, RecordingChat()) as again:
        await again.say("", said="What was that?")
    assert asked(agent)[:2] == [("user", "Who are you?"), ("assistant", "I am Toast.")]


async def test_among_others_it_says_how_it_hears(agent: FakeAgent, done: Bot) -> None:
    assert "Answer one of my messages, or name me" in (await done.say("/chat #1", **GROUP)).text


async def test_a_training_that_goes_first_is_said(agent: FakeAgent, done: Bot) -> None:
    agent.add_job(status=JobStatus.running)
    assert "A training runs and goes first" in (await done.say("/chat #1")).text
    agent.refuse["/v1/chat/completions"] = refusal(ErrorCode.model_busy, "Job #2 is starting and needs the memory.")
    assert "Job #2 is starting" in (await done.say("", said="Hello?")).text


async def test_who_may_not_ask_is_told_and_is_in_no_talk(agent: FakeAgent, done: Bot) -> None:
    agent.refuse["/v1/chat/completions"] = refusal(ErrorCode.not_allowed, "Only Ada may try its model.")
    assert "Only Ada may" in (await done.say("/chat #1")).text
    del agent.refuse["/v1/chat/completions"]
    await done.say("", said="Hello?")
    assert not agent.questions


async def test_a_model_that_is_not_there_is_said_before_anything_is_asked(agent: FakeAgent, bot: Bot) -> None:
    assert "no finished model yet" in (await bot.say("/chat")).text
    job = agent.add_job(status=JobStatus.running, suffix="crumb")
    assert "has no model yet" in (await bot.say(f"/chat #{job.number}")).text
    assert "Did you mean crumb?" in (await bot.say("/chat crumm")).text
    assert "You are in no talk here" in (await bot.say("/chat end")).text


async def test_a_sentence_that_is_too_long_is_refused_in_words(agent: FakeAgent, done: Bot) -> None:
    await done.say("/chat")
    assert "may have 16000" in (await done.say("", said="x" * (MESSAGE_LENGTH + 1))).text


async def test_options_go_to_an_open_plan_also_in_a_talk(agent: FakeAgent, done: Bot) -> None:
    await done.say("/chat")
    await done.say("/finetune", dataset())
    await done.say("", said="name crumb")
    assert agent.plan_requests[-1].suffix == "crumb"
    assert len(agent.questions) == 1


async def test_what_is_ended_while_it_answers_stays_ended(agent: FakeAgent, done: Bot) -> None:
    await done.say("/chat")
    call = done.call("")

    async def end() -> None:
        done.core.talks.end(call)

    agent.between_words = end
    await done.say("", said="Count.")
    assert done.core.talks.of(call) is None
