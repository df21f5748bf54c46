"""A chat whose messages make no sound while its people want it so."""

from collections.abc import Callable
from dataclasses import replace

from bot.core.capabilities import Capabilities
from bot.core.chat import Chat
from bot.core.reply import Reply


class SilentChat:
    """Another chat, with each message marked as silent for as long as `silent` says so."""

    def __init__(self, chat: Chat, silent: Callable[[], bool]) -> None:
        self._chat = chat
        self._silent = silent

    @property
    def capabilities(self) -> Capabilities:
        """Return what the chat can show."""
        return self._chat.capabilities

    async def post(self, reply: Reply) -> str:
        """Show a new message."""
        return await self._chat.post(replace(reply, silent=True) if self._silent() else reply)

    async def edit(self, message_id: str, reply: Reply) -> None:
        """Replace a message; no edit makes a sound, but its files may."""
        await self._chat.edit(message_id, replace(reply, silent=True) if self._silent() else reply)

    async def next_best(self, person: str) -> str | None:
        """Return the id of the chat to go on in."""
        return await self._chat.next_best(person)
