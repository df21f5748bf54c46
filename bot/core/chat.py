"""What a front-end offers the core: post a message, edit one, what it is able to show, and where else to go."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Protocol

from bot.core.capabilities import Capabilities
from bot.core.pages import pages
from bot.core.reply import Reply
from bot.errors import MessageGoneError


class Chat(Protocol):
    """One conversation on one platform. Its methods raise only ChatError and the errors of what they send."""

    @property
    def capabilities(self) -> Capabilities:
        """Return what this chat can show."""
        ...

    async def post(self, reply: Reply) -> str:
        """Show a new message and return its id; empty for a notice that cannot be edited later."""
        ...

    async def edit(self, message_id: str, reply: Reply) -> None:
        """Replace a message. Raise MessageGoneError if it is not there."""
        ...

    async def next_best(self, person: str) -> str | None:
        """Return the id of the chat to go on in where this one is closed: its channel's, else the person's own.

        None: there is none. Raise ChatError if it cannot be known now.
        """
        ...


OpenChat = Callable[[str, str], Chat | None]  # platform, chat id → the chat, or None if that platform is not connected


async def post_pages(chat: Chat, reply: Reply) -> str:
    """Post a reply as as many messages as it needs; return the id of the one that is the reply proper."""
    return await _post_all(chat, pages(reply, chat.capabilities))


async def _post_all(chat: Chat, replies: list[Reply]) -> str:
    message_id = ""
    for page in replies:
        posted = await chat.post(page)
        message_id = message_id if page.quiet else posted
    return message_id


class Answer:
    """The one message that answers a call: posted by the first `show`, edited by the next, posted anew when gone."""

    def __init__(
        self, chat: Chat, *, message_id: str | None = None, posted: Callable[[str], None] = lambda _: None
    ) -> None:
        """Answer in `message_id` if there is an answer already; tell `posted` of each message that becomes it."""
        self._chat = chat
        self._message_id = message_id
        self._pressed_id: str | None = None
        self._posted = posted
        self._lock = asyncio.Lock()

    def take_over(self, message_id: str | None) -> None:
        """Answer in the message whose button was pressed, unless something has been shown already."""
        if self._message_id is None:
            self._message_id = self._pressed_id = message_id

    async def show(self, reply: Reply) -> str:
        """Show the answer as it is now; return its message id."""
        async with self._lock:
            replies = pages(reply, self._chat.capabilities)
            shown_to_all = reply.private and self._message_id == self._pressed_id
            if self._message_id is not None and not shown_to_all:
                with contextlib.suppress(MessageGoneError):
                    await self._chat.edit(self._message_id, replies[0])
                    self._pressed_id = None  # it shows the answer now: what follows, an error too, replaces it
                    return self._becomes(await _post_all(self._chat, replies[1:]) or self._message_id)
            return self._becomes(await _post_all(self._chat, replies))

    async def acknowledge(self, reply: Reply) -> None:
        """Show a first sign of life, unless there is an answer already."""
        async with self._lock:
            if self._message_id is None:
                self._becomes(await self._chat.post(reply))

    def _becomes(self, message_id: str) -> str:
        if message_id and message_id != self._message_id:
            self._message_id = message_id
            self._posted(message_id)
        return message_id
