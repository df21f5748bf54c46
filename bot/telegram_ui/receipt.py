"""The reaction on a message that brought a file: seen at once, and how it was answered. Nobody waits for it."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from telegram.constants import ReactionEmoji

from bot.core.reply import Reply, Tone
from bot.telegram_ui.chat import TelegramChat
from bot.telegram_ui.connection import TelegramConnection
from bot.telegram_ui.place import TelegramPlace

SEEN = ReactionEmoji.EYES
WELL = ReactionEmoji.THUMBS_UP  # of what a bot may react with, which has no tick and no cross
REFUSED = ReactionEmoji.THUMBS_DOWN


class Receipt:
    """What one message shows of the answer to it."""

    def __init__(self, line: TelegramConnection, chat: int, message_id: int) -> None:
        self._line = line
        self._chat = chat
        self._message_id = message_id
        self._seeing: asyncio.Task[None] | None = None
        self._shown: Reply | None = None

    def note(self, reply: Reply) -> None:
        """Note what was shown as the answer; the last one counts."""
        self._shown = reply

    async def seen(self) -> None:
        """Begin to show that the message was seen."""
        if self._seeing is None:
            self._seeing = asyncio.create_task(self._react(SEEN))

    async def around(self, answering: Coroutine[Any, Any, None]) -> None:
        """Have the message answered, and show how; what is answered without being taken in was seen by then."""
        try:
            await answering
            if self._seeing is not None:
                await self._seeing
            emoji = _read(self._shown) if self._shown is not None else SEEN
            if self._shown is not None and not (emoji is SEEN and self._seeing is not None):
                await self._react(emoji)
        finally:
            if self._seeing is not None:
                self._seeing.cancel()

    async def _react(self, emoji: ReactionEmoji) -> None:
        await self._line.once(
            self._chat, lambda chat: self._line.bot.set_message_reaction(chat, self._message_id, emoji)
        )


def _read(shown: Reply) -> ReactionEmoji:
    """Return how an answer reads; SEEN: it is none yet, but a question, or waits for the agent."""
    if shown.passing or shown.tone is Tone.waiting:
        return SEEN
    return REFUSED if shown.refusal else WELL


class ReceiptChat(TelegramChat):
    """The chat of a message; what is shown there as the answer decides how its receipt ends."""

    def __init__(
        self,
        line: TelegramConnection,
        place: TelegramPlace,
        *,
        answers: int | None,
        person: int,
        receipt: Receipt | None,
    ) -> None:
        """`receipt`: of a message that brought a file."""
        super().__init__(line, place, answers=answers, person=person)
        self._receipt = receipt

    async def post(self, reply: Reply) -> str:
        """Show a new message, as any chat does."""
        message_id = await super().post(reply)
        if self._receipt is not None:
            self._receipt.note(reply)
        return message_id

    async def edit(self, message_id: str, reply: Reply) -> None:
        """Replace a message, as any chat does."""
        await super().edit(message_id, reply)
        if self._receipt is not None:
            self._receipt.note(reply)
