"""Sends what was asked while the agent was away, and what a killed bot left unanswered: each once, oldest first.

What a person was told is kept is carried out however late the agent is back. What nobody got to is not: a pause or a
start of an hour ago would surprise. It is struck out, with a word.
"""

import logging
import math
from dataclasses import replace

from bot.core.call import Attachment, Call, Reopen
from bot.core.chat import Chat, OpenChat
from bot.core.clock import backoff_s, held_back_s
from bot.dispatch.command import Core
from bot.dispatch.dispatch import CallOutcome, carry_out, went_wrong
from bot.errors import AgentRefusedError, AgentUnreachableError, BadCallError, ChatError
from bot.following.card_updates import AsNow, unchanged
from bot.kept.requests import KeptFile, KeptRequest
from bot.words.format import clock_time
from shared.language import _

logger = logging.getLogger(__name__)

KEPT_DAYS = 7  # as long as the agent keeps a plan
KEPT_S = KEPT_DAYS * 86_400.0
UNTOLD_S = 15 * 60.0  # for so long is done what was asked and not acknowledged


class Resender:
    """Takes up every kept request that nobody is at."""

    def __init__(self, core: Core, *, open_chat: OpenChat, reopen: Reopen, as_now: AsNow = unchanged) -> None:
        self._core = core
        self._open_chat = open_chat
        self._reopen = reopen
        self._as_now = as_now
        self._seen: dict[int, float] = {}  # since when, by the clock that only goes forward
        self._failures: dict[int, int] = {}  # of requests whose answer could not be shown
        self._not_before: dict[int, float] = {}  # when they are tried again

    async def run(self) -> None:
        """Keep at it for ever."""
        failures = 0
        while True:
            await self._core.requests.some_waiting()
            failures = 0 if await self._send_all() else failures + 1
            if failures:
                await self._core.clock.sleep(backoff_s(failures))

    async def _send_all(self) -> bool:
        """Send what is due; return whether all that waits was answered."""
        self._core.requests.none_from_the_future(self._core.clock.now())
        away = not await self._agent_answers()
        waiting = self._core.requests.waiting()
        for request in waiting:
            self._seen.setdefault(request.id, self._core.clock.monotonic())
        # Who was told already that it is kept does not read "Reading …" and "Queued" again with every try.
        due = [request for request in waiting if not (away and request.promised)]
        outcomes = [await self._send(request) for request in due]
        return not away and all(outcome is CallOutcome.answered for outcome in outcomes)

    async def _agent_answers(self) -> bool:
        try:
            await self._core.agent.info()
        except AgentUnreachableError:
            return False
        except AgentRefusedError:
            return True  # whoever asked is to read why
        return True

    async def _send(self, request: KeptRequest) -> CallOutcome:
        if self._core.clock.monotonic() < self._not_before.get(request.id, -math.inf):
            return CallOutcome.chat_away
        if request.id not in {waiting.id for waiting in self._core.requests.waiting()}:
            return CallOutcome.answered  # taken back meanwhile
        try:
            outcome = await self._carry_out(request)
        except Exception:
            logger.exception("kept request %d failed", request.id)
            outcome = CallOutcome.chat_away
        if outcome is CallOutcome.chat_away:
            self._hold_back(request)
        return outcome

    def _hold_back(self, request: KeptRequest) -> None:
        """Leave a request alone for a while; one whose time is long over is given up."""
        if self._age_s(request) > KEPT_S:
            logger.warning("kept request %d, /%s, is given up: nobody can be told", request.id, request.command)
            self._core.requests.strike_out(request.id)
        failures = self._failures[request.id] = self._failures.get(request.id, 0) + 1
        self._not_before[request.id] = self._core.clock.monotonic() + held_back_s(failures)

    async def _carry_out(self, request: KeptRequest) -> CallOutcome:
        chat = self._open_chat(request.platform, request.chat_id)
        if chat is None:
            logger.warning("request %d waits until %s is connected", request.id, request.platform)
            self._core.requests.leave(request.id)
            return CallOutcome.answered
        call = self._core.preferences.applied(_call(request, chat))
        with call.addressed():
            trouble = self._too_late(request)
            try:
                if call.roles and not trouble:  # they may have lost them since they asked
                    call = replace(call, roles=(await self._as_now(call.requested_by)).roles)
                files = [] if trouble else [await self._open(request.platform, file) for file in request.files]
                call = replace(call, attachments=tuple(files))
            except BadCallError as error:
                trouble = error.message
            except ChatError as error:
                logger.warning("request %d: its file or person cannot be looked up now: %s", request.id, error)
                return CallOutcome.chat_away
            except Exception as error:
                trouble = went_wrong(f"/{request.command}", error)
        outcome = await carry_out(call, self._core, request, trouble=trouble)
        while outcome is CallOutcome.chat_closed:
            try:
                chat_id = await call.chat.next_best(request.person)
            except ChatError as error:
                logger.warning("request %d: where to answer it is not known yet: %s", request.id, error)
                return CallOutcome.chat_away
            elsewhere = self._open_chat(request.platform, chat_id) if chat_id is not None else None
            if elsewhere is None or chat_id is None:
                logger.warning("request %d, /%s, is given up: its chat is closed", request.id, request.command)
                self._core.requests.strike_out(request.id)
                return CallOutcome.answered
            elsewhere = self._core.preferences.quieted(elsewhere, request.platform, chat_id)
            call = replace(call, chat=elsewhere, chat_id=chat_id, message_id=None)
            outcome = await carry_out(call, self._core, replace(request, answer_id=None), trouble=trouble)
        return outcome

    def _too_late(self, request: KeptRequest) -> str:
        """Return why a request is not carried out any more; empty: it is."""
        age_s = self._age_s(request)
        if age_s > KEPT_S:
            return _("This waited {days} days for the agent; I do not send it any more. Ask once more.", days=KEPT_DAYS)
        if age_s > UNTOLD_S and not request.promised:
            time = clock_time(request.asked_at, now=self._core.clock.now())
            return _(
                "I got to your /{command} of {time} too late, and do not do it any more. /status shows how things "
                "stand; ask once more if you still want it.",
                command=request.command,
                time=time,
            )
        return ""

    def _age_s(self, request: KeptRequest) -> float:
        """Return how long ago it was asked. A wall clock that was set back does not make it younger."""
        seen = self._seen.get(request.id, self._core.clock.monotonic())
        return max(self._core.clock.now() - request.asked_at, self._core.clock.monotonic() - seen)

    async def _open(self, platform: str, kept: KeptFile) -> Attachment:
        """Return the file by a fresh link, under the name it came with."""
        if kept.reference is None:
            raise BadCallError(_("I cannot open {name} a second time. Send it once more.", name=kept.name))
        return replace(await self._reopen(platform, kept.reference), name=kept.name)


def _call(request: KeptRequest, chat: Chat) -> Call:
    call = Call(
        platform=request.platform,
        person=request.person,
        chat_id=request.chat_id,
        chat=chat,
        command=request.command,
        arguments=request.arguments,
        message_id=request.pressed_id,
        asked_at=request.asked_at,
        kept_as=request.id,
    )
    return request.asker.fill(call)
