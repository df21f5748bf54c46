"""Where in Telegram a conversation is: a chat, and in a forum the topic. Written as one chat id. Pure."""

import re
from dataclasses import dataclass
from typing import Self

from telegram import Message

_PLACE = re.compile(r"(-?\d{1,20})(?::(\d{1,18}))?")


@dataclass(frozen=True, kw_only=True)
class TelegramPlace:
    """A chat or a topic of it. Groups have negative ids."""

    chat: int
    topic: int | None = None

    @classmethod
    def read(cls, chat_id: str) -> Self | None:
        """Return what `-100123:45` names, or None if that is no place."""
        found = _PLACE.fullmatch(chat_id)
        return cls(chat=int(found[1]), topic=int(found[2]) if found[2] else None) if found else None

    @classmethod
    def of(cls, message: Message) -> Self:
        """Return where a message is. Only topics of a forum count: elsewhere a thread is a mere chain of replies."""
        return cls(chat=message.chat.id, topic=message.message_thread_id if message.is_topic_message else None)

    @property
    def private(self) -> bool:
        """Whether this is a talk with one person."""
        return self.chat > 0

    def __str__(self) -> str:
        return str(self.chat) if self.topic is None else f"{self.chat}:{self.topic}"
