"""What a front-end offers the core: post a message, edit one, and what it is able to show."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from bot.errors import MessageGoneError
from bot.reply import Reply


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """The limits of a platform, declared by its front-end and obeyed by the core."""

    text_length: int  # characters a message may have
    upload_bytes: int | None  # the largest file it takes; None: no limit
    edits_per_second: float  # per chat, over all its cards
    buttons: bool
    images: bool
    alt_text: bool


class Chat(Protocol):
    """One conversation on one platform. Both methods raise only ChatError and the errors of what they send."""

    @property
    def capabilities(self) -> Capabilities:
        """Return what this chat can show."""
        ...

    async def post(self, reply: Reply) -> str:
        """Show a new message and return its id."""
        ...

    async def edit(self, message_id: str, reply: Reply) -> None:
        """Replace a message. Raise MessageGoneError if it is not there."""
        ...


OpenChat = Callable[[str, str], Chat | None]  # platform, chat id → the chat, or None if that platform is not connected


async def post_pages(chat: Chat, reply: Reply) -> str:
    """Post a reply as as many messages as it needs; return the id of the last."""
    message_id = ""
    for page in reply.pages(chat.capabilities.text_length):
        message_id = await chat.post(page)
    return message_id


class Answer:
    """The one message that answers a call: posted by the first `show`, edited by the next, posted anew when gone."""

    def __init__(
        self, chat: Chat, *, message_id: str | None = None, posted: Callable[[str], None] = lambda _: None
    ) -> None:
        """Answer in `message_id` if there is an answer already; tell `posted` of each message that becomes it."""
        self._chat = chat
        self._message_id = message_id
        self._posted = posted
        self._lock = asyncio.Lock()

    def take_over(self, message_id: str | None) -> None:
        """Answer in the message whose button was pressed, unless something has been shown already."""
        if self._message_id is None:
            self._message_id = message_id

    async def show(self, reply: Reply) -> str:
        """Show the answer as it is now; return its message id."""
        async with self._lock:
            if self._message_id is not None:
                with contextlib.suppress(MessageGoneError):
                    await self._chat.edit(self._message_id, reply)
                    return self._message_id
            self._message_id = await post_pages(self._chat, reply)
            self._posted(self._message_id)
            return self._message_id

    async def acknowledge(self, reply: Reply) -> None:
        """Show a first sign of life, unless there is an answer already."""
        async with self._lock:
            if self._message_id is None:
                self._message_id = await self._chat.post(reply)
                self._posted(self._message_id)
