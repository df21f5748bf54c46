"""Where on Discord a conversation is: a channel, and perhaps a thread of it. Written as one chat id. Pure."""

import re
from dataclasses import dataclass
from typing import Self

_PLACE = re.compile(r"(\d{1,20})(?::(\d{1,20}))?")


@dataclass(frozen=True, kw_only=True)
class DiscordPlace:
    """A channel or a thread of it. Rights belong to the channel, messages go to the thread."""

    channel: int
    thread: int | None = None

    @classmethod
    def read(cls, chat_id: str) -> Self | None:
        """Return what `123:45` names, or None if that is no place."""
        found = _PLACE.fullmatch(chat_id)
        return cls(channel=int(found[1]), thread=int(found[2]) if found[2] else None) if found else None

    @property
    def room(self) -> int:
        """Return the id that messages are sent to."""
        return self.channel if self.thread is None else self.thread

    def __str__(self) -> str:
        return str(self.channel) if self.thread is None else f"{self.channel}:{self.thread}"
