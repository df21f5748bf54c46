"""What people and chats can set: how they are spoken to, what they are sent, and how loud."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class PersonPreferences:
    """How one person is spoken to, wherever they ask on a platform."""

    language: str = ""  # as shared.language names it; empty: as their app says
    zone: str = ""  # as bot.words.time_zone names it; empty: this machine's


@dataclass(frozen=True, kw_only=True)
class ChatPreferences:
    """What a chat is sent without being asked for, and how."""

    files: bool = True  # the finished model, when a job ends
    silent: bool = False  # no phone rings for what is posted
