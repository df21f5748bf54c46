"""What connects a chat platform: one object a platform, made from the settings and run by `serve`."""

from typing import Protocol

from bot.core.call import Attachment
from bot.core.chat import Chat
from bot.dispatch.command import Core
from bot.errors import BadCallError
from shared.language import _
from shared.people import RequestedBy


class FrontEnd(Protocol):
    """One platform: its events become calls of `dispatch`, its chats are opened by id."""

    @property
    def platform(self) -> str:
        """Return its name, as in requested_by."""
        ...

    async def run(self, core: Core) -> None:
        """Connect and serve until cancelled, reconnecting for ever. Raise FrontEndError if it never can."""
        ...

    def open_chat(self, chat_id: str) -> Chat | None:
        """Return a chat, connected or not. While not, its methods raise ChatError."""
        ...

    async def as_now(self, who: RequestedBy) -> RequestedBy:
        """Return a person with the roles that they have now. Raise ChatError if that cannot be known now."""
        ...

    async def reopen(self, reference: str) -> Attachment:
        """Return a file that came before, by a fresh link. Raise BadCallError if it is gone, ChatError if not now."""
        ...


class FrontEnds:
    """Those of one bot, by platform."""

    def __init__(self, front_ends: list[FrontEnd]) -> None:
        self.all = front_ends
        self._by_platform = {front_end.platform: front_end for front_end in front_ends}

    @property
    def platforms(self) -> frozenset[str]:
        """Return the platforms that are served."""
        return frozenset(self._by_platform)

    def open_chat(self, platform: str, chat_id: str) -> Chat | None:
        """Return a chat, or None if nothing serves its platform."""
        front_end = self._by_platform.get(platform)
        return front_end.open_chat(chat_id) if front_end is not None else None

    async def as_now(self, who: RequestedBy) -> RequestedBy:
        """Return a person with the roles that they have now, as far as their platform is served here."""
        front_end = self._by_platform.get(who.platform)
        return await front_end.as_now(who) if front_end is not None else who

    async def reopen(self, platform: str, reference: str) -> Attachment:
        """Return a file that came before."""
        front_end = self._by_platform.get(platform)
        if front_end is None:
            raise BadCallError(_("That file is in a chat that I am not connected to. Send it once more."))
        return await front_end.reopen(reference)
