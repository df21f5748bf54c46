"""/chat: a talk with a finished model. The person just writes; the model answers as itself, and remembers."""

import contextlib
import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from bot.cards.talking import (
    END,
    GREETING,
    NEW,
    Speech,
    answer_card,
    ended_card,
    new_card,
    opening_card,
    silent_card,
)
from bot.commands.try_ import meant, model_of
from bot.core.call import Call
from bot.core.chat import Answer
from bot.core.reply import Reply
from bot.dispatch.command import Command, Core
from bot.errors import AgentRefusedError, BadCallError, ChatBusyError
from bot.kept.talks import Talk, Turn
from shared.chat import MESSAGE_LENGTH, ChatMessage
from shared.errors import ErrorCode, HearthError
from shared.jobs import JobStatus
from shared.language import N_, _

IN_NONE = N_("You are in no talk here. /chat begins one with the newest model.")
ENDINGS = ("end", "ende", "/end")  # said in a talk
REMEMBERED = 24  # sentences: more than a small model's context holds
REMEMBERED_LENGTH = 8000  # characters
PAUSE_S = 1.5  # between two edits of an answer that is being said, at least
AMONG_OTHERS = 2  # times as long where live cards and other people need the room

Show = Callable[[Speech], Reply]


async def run(call: Call, core: Core, answer: Answer) -> None:
    """Begin a talk, go on with it, begin anew or end it."""
    talk = core.talks.of(call)
    if call.said and talk is not None:
        await (_end(call, core, answer, talk) if _ends(call.said) else _go_on(call, core, answer))
    elif call.arguments == (END,):
        await _end(call, core, answer, talk)
    elif _asks_for_a_new_one(call.arguments):
        number = call.arguments[1:]
        if talk is not None and number in ((), (f"#{talk.number}",)):
            core.talks.keep(call, replace(talk, said=()))
            await answer.show(new_card(talk.name))
        else:
            await _begin(replace(call, arguments=number), core, answer)
    else:
        await _begin(call, core, answer)


def _asks_for_a_new_one(arguments: tuple[str, ...]) -> bool:
    return arguments[:1] == (NEW,) and len(arguments) <= 2 and all(it.startswith("#") for it in arguments[1:])


async def _begin(call: Call, core: Core, answer: Answer) -> None:
    job, words = await meant(call.arguments, core)
    talk = Talk(number=job.number, name=job.suffix, model=model_of(job))
    await core.agent.events(job.id, limit=1)  # who may not watch a job may not try its model: refused before a word
    asked = " ".join(words) or _(GREETING)
    _check_length(asked)
    training = any(it.status is JobStatus.running for it in (await core.agent.jobs()).data)
    show = partial(opening_card, asked=asked, private=call.private, training=training)
    talk = core.talks.keep(call, talk)
    async with core.talks.turn(call):
        if call.chat.capabilities.streams:
            await answer.show(
                replace(show(Speech(name=talk.name, number=talk.number, text="", goes_on=True)), passing=True)
            )
        await _answered(call, core, answer, talk, asked, show)


async def _go_on(call: Call, core: Core, answer: Answer) -> None:
    _check_length(call.said)
    async with core.talks.turn(call):
        talk = core.talks.of(call)  # it may have ended, or begun anew, while the sentence before was answered
        if talk is None:
            raise BadCallError(_(IN_NONE))
        await _answered(call, core, answer, talk, call.said, answer_card)


async def _end(call: Call, core: Core, answer: Answer, talk: Talk | None) -> None:
    if talk is None:
        raise BadCallError(_(IN_NONE))
    core.talks.end(call)
    await answer.show(ended_card(talk.name, talk.number))


def _ends(said: str) -> bool:
    return said.strip().lower() in ENDINGS


def _check_length(asked: str) -> None:
    if len(asked) > MESSAGE_LENGTH:
        raise BadCallError(
            _("That is too long: {length} characters, and a question may have {limit}.",
              length=len(asked), limit=MESSAGE_LENGTH)
        )  # fmt: skip


async def _answered(call: Call, core: Core, answer: Answer, talk: Talk, asked: str, show: Show) -> None:
    """Ask the model, show what it says as it says it, and remember both."""
    said = _recent((*talk.said, ("user", asked)))
    try:
        speech = await _heard(call, core, answer, talk, said, show)
        while speech is None:  # more than the model reads: the older half is forgotten
            said = _from_a_question(said[(len(said) + 1) // 2 :])
            speech = await _heard(call, core, answer, talk, said, show)
    except AgentRefusedError as refusal:
        if refusal.code is ErrorCode.not_allowed:
            core.talks.end(call)
            raise
        await answer.show(silent_card(talk.name, talk.number, refusal.message))
        return
    await answer.show(show(speech))
    if core.talks.of(call) != talk:
        return  # it was ended or begun anew meanwhile: what was to be forgotten stays so
    core.talks.keep(call, replace(talk, said=(*said, ("assistant", speech.text)) if speech.text else said[:-1]))


async def _heard(
    call: Call, core: Core, answer: Answer, talk: Talk, said: tuple[Turn, ...], show: Show
) -> Speech | None:
    """Return what the model says, shown as it comes; None: that is more than it reads, and could be less."""
    limits, clock = call.chat.capabilities, core.clock
    pause_s = max(PAUSE_S, limits.card_interval_s) * (1 if call.private else AMONG_OTHERS)
    speech, shown_at = Speech(name=talk.name, number=talk.number, text="", goes_on=True), -math.inf
    try:
        async for chunk in core.agent.talk(talk.model, [ChatMessage(role=who, content=words) for who, words in said]):
            for choice in chunk.choices:
                text = speech.text + (choice.delta.content or "")
                speech = replace(speech, text=text, cut=choice.finish_reason == "length")
            if limits.streams and speech.text.strip() and clock.monotonic() - shown_at >= pause_s:
                with contextlib.suppress(ChatBusyError):  # then the next piece is shown, or the whole
                    await answer.show(show(speech))
                shown_at = clock.monotonic()
    except HearthError as trouble:
        if speech.text.strip():  # what was said was said, and is remembered
            return replace(speech, text=speech.text.strip(), goes_on=False, broke=trouble.message)
        if not isinstance(trouble, AgentRefusedError) or trouble.param != "messages" or len(said) == 1:
            raise
        return None
    return replace(speech, text=speech.text.strip(), goes_on=False)


def _recent(said: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """Return the end of a talk, as much as a small model can keep in mind; it begins with a question."""
    kept, length = list[Turn](), 0
    for turn in reversed(said[-REMEMBERED:]):
        length += len(turn[1])
        if kept and length > REMEMBERED_LENGTH:
            break
        kept.insert(0, turn)
    return _from_a_question(tuple(kept))


def _from_a_question(said: tuple[Turn, ...]) -> tuple[Turn, ...]:
    return said if said[0][0] == "user" else said[1:]


COMMAND = Command(name="chat", usage="[#n] [words]", summary=N_("talk with a finished model"), run=run)
