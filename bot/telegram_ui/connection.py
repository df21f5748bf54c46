"""The connection that all chats of a bot share: paced chat by chat, and aware of groups that got another id."""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, TypeVar

from telegram import Bot
from telegram.error import ChatMigrated, RetryAfter, TelegramError

from bot.core.clock import Clock
from bot.errors import ChatBusyError, ChatError
from bot.telegram_ui.budget import Budget
from bot.telegram_ui.limits import Limits
from bot.telegram_ui.trouble import ChatMovedError, reason, seconds, translated

logger = logging.getLogger(__name__)

T = TypeVar("T")

PATIENCE = 3  # times that a message which nobody sends again by itself is tried when Telegram says "later"
STALE_S = 5.0  # a live card does not wait longer than that for its turn: it is better drawn anew


class TelegramConnection:
    """The connection that all chats of a bot share."""

    def __init__(self, bot: Bot, limits: Limits, clock: Clock) -> None:
        self.bot = bot
        self.limits = limits
        self.clock = clock
        self.refused = False  # the token is of no use: nothing more is sent
        self._budgets: dict[int, Budget] = {}
        self._signs: dict[int, Budget] = {}  # what is no message: counted apart, so that no answer waits for it
        self._acted_at: dict[int, float] = {}  # when a chat was last shown what the bot is about
        self._beside: set[asyncio.Task[None]] = set()
        self._moved: dict[int, int] = {}  # groups that became supergroups, by their old id
        self._tell: Callable[[int, int], None] | None = None  # of each one, whoever keeps something of its chat

    def tell_moves(self, tell: Callable[[int, int], None], *, known: Mapping[int, int]) -> None:
        """Have each move of a group told from now on, and those that were noticed before; `known`: of earlier."""
        noticed, self._tell = dict(self._moved), tell
        self._moved = {**known, **noticed}
        for chat, to in noticed.items():
            tell(chat, to)

    def note_move(self, chat: int, to: int) -> None:
        """Note that a group has become a supergroup."""
        self._moved[chat] = to
        if self._tell is not None:
            self._tell(chat, to)

    def now(self, chat: int) -> int:
        """Return the id that a chat has now."""
        return self._moved.get(chat, chat)

    def budget(self, chat: int) -> Budget:
        """Return what a chat may still be sent."""
        return self._of(chat, self._budgets)

    def _of(self, chat: int, budgets: dict[int, Budget]) -> Budget:
        if chat not in budgets:
            count, per_s = (self.limits.private_messages, 5.0) if chat > 0 else (self.limits.group_messages, 60.0)
            budgets[chat] = Budget(count=count, per_s=per_s, clock=self.clock)
        return budgets[chat]

    async def send(
        self, chat: int, request: Callable[[int], Awaitable[T]], *, patient: bool, messages: int = 1
    ) -> T | None:
        """Make a request, of so many messages, when the chat may have them. None: nothing had changed.

        Raises ChatError and its kin alone; ChatBusyError without another try if it is not `patient`, ChatMovedError
        for a group that is another by now.
        """
        tries = PATIENCE if patient else 1
        while True:
            if self.refused:
                raise ChatError("Telegram does not accept my token")
            if chat in self._moved:
                raise ChatMovedError(self._moved[chat])
            budget = self.budget(chat)
            if not patient and (wait_s := budget.wait_s()) > STALE_S:
                raise ChatBusyError(wait_s)
            try:
                async with budget.turn(messages):
                    return await translated(request(chat))
            except ChatMigrated as moved:
                self.note_move(chat, moved.new_chat_id)
            except ChatBusyError as busy:
                budget.block(busy.retry_after_s)
                tries -= 1
                if tries == 0:
                    raise

    async def once(self, chat: int, request: Callable[[int], Awaitable[object]]) -> None:
        """Make a request that is no message and that nobody misses: now or never, and whatever comes of it.

        A chat may have as many of them as of messages. None is made where Telegram has asked to wait, or the chat is
        another by now; one that has to wait blocks none but its like.
        """
        budget = self._of(chat, self._signs)
        if self.refused or chat in self._moved or self.budget(chat).blocked or budget.wait_s() > 0:
            return
        try:
            async with budget.turn():
                await request(chat)
        except RetryAfter as error:
            budget.block(seconds(error.retry_after))
        except TelegramError as error:
            logger.info("chat %s: %s", chat, reason(error))

    def may_act(self, chat: int, *, every_s: float) -> bool:
        """Say whether a chat may be shown now what the bot is about, and note that it is."""
        now = self.clock.monotonic()
        if now < self._acted_at.get(chat, -math.inf) + every_s:
            return False
        self._acted_at[chat] = now
        return True

    def beside(self, sign: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Begin what nobody waits for."""
        task = asyncio.create_task(sign)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)
        return task

    async def close(self) -> None:
        """Break off what nobody waits for."""
        for task in self._beside:
            task.cancel()
        await asyncio.gather(*self._beside, return_exceptions=True)
