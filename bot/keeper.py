"""Sends what was asked while the agent was away, and what a killed bot left unanswered: each once, oldest first."""

import logging
from dataclasses import replace

from bot.call import Attachment, Call, Reopen
from bot.chat import Chat, OpenChat
from bot.clock import backoff_s
from bot.core import Core
from bot.dispatch import Outcome, carry_out
from bot.errors import AgentRefusedError, AgentUnreachableError, BadCallError, ChatError, StorageError
from bot.requests import KeptFile, KeptRequest
from shared.language import _

logger = logging.getLogger(__name__)

KEPT_DAYS = 7  # as long as the agent keeps a plan
DAY_S = 86_400
CHAT_RETRY_S = 60.0


class Keeper:
    """Takes up every kept request that nobody is at."""

    def __init__(self, core: Core, *, open_chat: OpenChat, reopen: Reopen) -> None:
        self._core = core
        self._open_chat = open_chat
        self._reopen = reopen
        self._not_before: dict[int, float] = {}  # requests whose chat does not take the answer

    async def run(self) -> None:
        """Keep at it for ever."""
        failures = 0
        while True:
            try:
                await self._core.requests.some_waiting()
                failures = 0 if await self._send_all() else failures + 1
            except StorageError as error:
                logger.warning("kept requests: %s", error)
                failures += 1
            if failures:
                await self._core.clock.sleep(backoff_s(failures))

    async def _send_all(self) -> bool:
        """Send what is due; return whether all that waits was answered."""
        if not await self._agent_answers():
            return False
        outcomes = [await self._send(request) for request in self._core.requests.waiting()]
        return all(outcome is Outcome.answered for outcome in outcomes)

    async def _agent_answers(self) -> bool:
        """Ask first, so that nobody reads "Reading …" and then "Queued" again with every try."""
        try:
            await self._core.agent.info()
        except AgentUnreachableError:
            return False
        except AgentRefusedError:
            return True  # whoever asked is to read why
        return True

    async def _send(self, request: KeptRequest) -> Outcome:
        now = self._core.clock.now()
        chat = self._open_chat(request.platform, request.chat_id)
        if chat is None:
            logger.warning("request %d waits until %s is connected", request.id, request.platform)
            self._core.requests.leave(request.id)
            return Outcome.answered
        if now < self._not_before.get(request.id, 0.0):
            return Outcome.chat_away
        if request.id not in {waiting.id for waiting in self._core.requests.waiting()}:
            return Outcome.answered  # taken back meanwhile
        outcome = await self._carry_out(request, chat, now=now)
        if outcome is Outcome.chat_away:
            self._not_before[request.id] = now + CHAT_RETRY_S
        return outcome

    async def _carry_out(self, request: KeptRequest, chat: Chat, *, now: float) -> Outcome:
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
        call = request.asker.fill(call)
        trouble = ""
        if now - request.asked_at > KEPT_DAYS * DAY_S:
            trouble = _(
                "This waited {days} days for the agent; I do not send it any more. Ask once more.",
                days=KEPT_DAYS,
            )
        else:
            try:
                attachments = [await self._open(request.platform, file) for file in request.files]
                call = replace(call, attachments=tuple(attachments))
            except BadCallError as error:
                trouble = error.message
            except ChatError as error:
                logger.warning("request %d: its file cannot be opened now: %s", request.id, error)
                return Outcome.chat_away
        return await carry_out(call, self._core, request, trouble=trouble)

    async def _open(self, platform: str, kept: KeptFile) -> Attachment:
        """Return the file by a fresh link, under the name it came with."""
        if kept.reference is None:
            raise BadCallError(_("I cannot open {name} a second time. Send it once more.", name=kept.name))
        return replace(await self._reopen(platform, kept.reference), name=kept.name)
