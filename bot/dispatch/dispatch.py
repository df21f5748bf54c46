"""Find the command of a call, run it, and turn whatever goes wrong into an answer. The one place that catches all.

A call that changes something is written down first and struck out when it was answered; the keeper sends what is left.
"""

import asyncio
import difflib
import logging
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from enum import Enum
from typing import Any

from bot.cards.queued import queued_card
from bot.core.call import Call
from bot.core.chat import Answer
from bot.core.reply import Reply
from bot.dispatch.command import Command, Core
from bot.dispatch.greeting import greet
from bot.dispatch.rate_limit import PAUSE_S, Admission
from bot.errors import AgentUnreachableError, BadCallError, ChatClosedError, ChatError, StorageError
from bot.kept.requests import KeptRequest
from bot.words.format import clip, one_line
from shared.errors import ErrorCode, HearthError
from shared.language import N_, _
from shared.people import TERMINAL

logger = logging.getLogger(__name__)

TOO_MANY = N_("That was a lot at once. I answer you again in {seconds} s. What you asked before goes on.")
STILL = N_("/cancel and /pause work all the same.")
ACKNOWLEDGE_AFTER_S = 0.7  # a person is answered within a second, whatever the agent does


class CallOutcome(Enum):
    """What became of a call."""

    answered = "answered"  # for good, be it with a refusal
    agent_away = "agent_away"  # the agent did not answer
    chat_away = "chat_away"  # the answer could not be shown now
    chat_closed = "chat_closed"  # nor ever, until somebody changes that chat


Arrived = Callable[[], Awaitable[object]]


async def _nothing() -> None:
    """Answer what was answered before, or is not to be."""


async def dispatch(call: Call, core: Core) -> None:
    """Answer one call. Never raises, except when cancelled."""
    await take_in(call, core)


def take_in(call: Call, core: Core, *, arrived: Arrived = _nothing) -> Coroutine[Any, Any, None]:
    """Write a call down, now, if it must not get lost; what is returned answers it when it is awaited.

    `arrived` tells the platform in between that the call is here.
    """
    call = core.preferences.applied(call)
    with call.addressed():
        return _take_in(call, core, arrived)


def _take_in(call: Call, core: Core, arrived: Arrived) -> Coroutine[Any, Any, None]:
    command = {command.name: command for command in core.commands}.get(call.command)
    too_much = _too_much(call, command, core)
    if too_much is not None:
        return _first(arrived, too_much)
    if command is None or not command.keeps(call.arguments):
        return _first(arrived, _answer(call, core))
    try:
        request = core.requests.keep(call, asked_at=core.clock.now())
    except StorageError as error:
        logger.warning("/%s not kept: %s", call.command, error)
        if command.stops:
            return _first(arrived, _answer(call, core))
        text = _("{message} Nothing was sent: what I cannot write down could get lost.", message=error.message)
        return _first(arrived, _refuse(call, text))
    if request is None:
        logger.info("%s %s was delivered twice", call.platform, call.id)
        return _nothing()
    return _answer_kept(replace(call, kept_as=request.id, asked_at=request.asked_at), core, request, arrived)


def take_in_known(call: Call, core: Core, reply: Reply) -> Coroutine[Any, Any, None]:
    """Return what answers a call that its front-end has the answer to; it counts as one that the person made."""
    call = core.preferences.applied(call)
    with call.addressed():
        too_much = _too_much(call, None, core)
    return too_much if too_much is not None else _show_known(call, reply)


def _too_much(call: Call, command: Command | None, core: Core) -> Coroutine[Any, Any, None] | None:
    """Return what answers somebody who asks too much at once. What frees the machine is counted by itself."""
    if call.platform == TERMINAL:
        return None
    bursts = core.stops if command is not None and command.stops else core.bursts
    admission = bursts.admit(call.platform, call.person, now=core.clock.monotonic())
    if admission is Admission.answer:
        return None
    logger.info("%s %s asks too much", call.platform, call.person)
    if admission is Admission.ignore:
        return _nothing()
    words = _(TOO_MANY, seconds=f"{PAUSE_S:.0f}")
    return _refuse(call, words if bursts is core.stops else f"{words} {_(STILL)}")


async def _show_known(call: Call, reply: Reply) -> None:
    await _show(Answer(call.chat), reply)


async def _answer(call: Call, core: Core) -> None:
    with call.addressed():
        await _acknowledged(call, core, Answer(call.chat))


async def _answer_kept(call: Call, core: Core, request: KeptRequest, arrived: Arrived) -> None:
    try:
        await arrived()
        await carry_out(call, core, request)
    finally:
        core.requests.release(request.id)


async def _refuse(call: Call, text: str) -> None:
    await _say(Answer(call.chat), text, private=call.message_id is not None or not call.private)


def _first(arrived: Arrived, answering: Coroutine[Any, Any, None]) -> Coroutine[Any, Any, None]:
    return answering if arrived is _nothing else _both(arrived, answering)


async def _both(arrived: Arrived, answering: Coroutine[Any, Any, None]) -> None:
    try:
        await arrived()
        await answering
    finally:
        answering.close()


async def carry_out(call: Call, core: Core, request: KeptRequest, *, trouble: str = "") -> CallOutcome:
    """Answer a kept call, or say what stands in its way. Whatever interrupts this leaves the request for the keeper."""

    def posted(message_id: str) -> None:
        core.requests.answered_in(request.id, message_id)

    answer = Answer(call.chat, message_id=request.answer_id, posted=posted)
    core.requests.hold(request.id)
    try:
        with call.addressed():
            outcome = await (_say(answer, trouble) if trouble else _acknowledged(call, core, answer))
        if outcome is CallOutcome.answered:
            core.requests.strike_out(request.id)
        return outcome
    finally:
        core.requests.release(request.id)


async def _acknowledged(call: Call, core: Core, answer: Answer) -> CallOutcome:
    """Run the command, with a word in between if it takes long."""
    task = asyncio.create_task(_run(call, core, answer))
    try:
        await asyncio.wait({task}, timeout=ACKNOWLEDGE_AFTER_S)
        if not task.done():
            await _acknowledge(answer)
        return await task
    finally:
        task.cancel()


async def _run(call: Call, core: Core, answer: Answer) -> CallOutcome:
    try:
        theirs = core.on_behalf_of(call.requested_by)
        if call.command:
            await _find(call.command, core.commands).run(call, theirs, answer)
        else:
            await greet(call, theirs, answer)
    except AgentUnreachableError as error:
        if call.kept_as is None:
            return await _say(answer, error.message)
        if not core.follow.shows(call.platform, call.chat_id, call.message_id):
            answer.take_over(call.message_id)
        core.requests.promise(call.kept_as)  # before it is said: who read it may rely on it
        shown = await _show(answer, queued_card(call.kept_as, why=error.message))
        if shown is CallOutcome.answered:
            return CallOutcome.agent_away
        core.requests.promise(call.kept_as, kept=False)
        return shown
    except HearthError as error:
        refused_in_group = error.code is ErrorCode.not_allowed and not call.private
        return await _say(answer, error.message, private=call.message_id is not None or refused_in_group)
    except ChatError as error:
        logger.warning("chat %s: %s", call.chat_id, error)
        return _untold(error)
    except Exception as error:
        return await _say(answer, went_wrong(f"/{call.command}", error))
    return CallOutcome.answered


def went_wrong(what: str, error: Exception) -> str:
    """Log an error of ours with its traceback; return what a person reads of it."""
    mark = secrets.token_hex(4)
    logger.error("%s: %s failed", mark, what, exc_info=error)
    return _("Something went wrong on my side, not yours. My log has it under {mark}. Try once more.", mark=mark)


def _find(name: str, commands: tuple[Command, ...]) -> Command:
    by_name = {command.name: command for command in commands}
    if name in by_name:
        return by_name[name]
    near = difflib.get_close_matches(name, by_name, n=1, cutoff=0.5)
    hint = _("Did you mean /{near}?", near=near[0]) if near else _("/help shows what I know.")
    raise BadCallError(_("I know no /{name}. {hint}", name=clip(one_line(name), 20), hint=hint))


async def _say(answer: Answer, text: str, *, private: bool = False) -> CallOutcome:
    return await _show(answer, Reply(summary=text, private=private, refusal=True))


async def _show(answer: Answer, reply: Reply) -> CallOutcome:
    try:
        await answer.show(reply)
    except ChatError as error:
        logger.warning("could not answer: %s", error)
        return _untold(error)
    except Exception:
        logger.exception("could not answer")
        return CallOutcome.chat_away
    return CallOutcome.answered


def _untold(error: ChatError) -> CallOutcome:
    return CallOutcome.chat_closed if isinstance(error, ChatClosedError) else CallOutcome.chat_away


async def _acknowledge(answer: Answer) -> None:
    try:
        await answer.acknowledge(Reply(summary=_("One moment, I am asking the agent …"), passing=True))
    except ChatError as error:
        logger.warning("could not answer: %s", error)
