"""What people set with /settings: of a person their language and time zone, of a chat what it is sent, and how loud."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from bot.core.call import Call
from bot.core.chat import Chat, OpenChat
from bot.core.preferred import ChatPreferences, PersonPreferences
from bot.core.silent_chat import SilentChat
from bot.errors import StorageError
from bot.kept.database import Database, Row
from bot.words.time_zone import in_zone
from shared.language import LANGUAGES, speaking

logger = logging.getLogger(__name__)


class Preferences:
    """The settings of all people and chats. What cannot be read is as if nobody had set it."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def person(self, platform: str, person: str) -> PersonPreferences:
        """Return what a person has set."""
        rows: list[Row] = []
        with _read():
            rows = self._db.rows(
                "SELECT language, zone FROM person_settings WHERE (platform, person) = (?, ?)", (platform, person)
            )
        return PersonPreferences(language=_known(rows[0][0]), zone=rows[0][1]) if rows else PersonPreferences()

    def chat(self, platform: str, chat_id: str) -> ChatPreferences:
        """Return what was set for a chat."""
        rows: list[Row] = []
        with _read():
            rows = self._db.rows(
                "SELECT files, silent FROM chat_settings WHERE (platform, chat_id) = (?, ?)", (platform, chat_id)
            )
        return ChatPreferences(files=bool(rows[0][0]), silent=bool(rows[0][1])) if rows else ChatPreferences()

    def set_person(self, platform: str, person: str, wanted: PersonPreferences) -> None:
        """Remember what a person has set; raise StorageError."""
        self._db.write(
            "INSERT OR REPLACE INTO person_settings (platform, person, language, zone) VALUES (?, ?, ?, ?)",
            (platform, person, wanted.language, wanted.zone),
        )

    def set_chat(self, platform: str, chat_id: str, wanted: ChatPreferences) -> None:
        """Remember what was set for a chat; raise StorageError."""
        self._db.write(
            "INSERT OR REPLACE INTO chat_settings (platform, chat_id, files, silent) VALUES (?, ?, ?, ?)",
            (platform, chat_id, wanted.files, wanted.silent),
        )

    @contextmanager
    def addressing(self, platform: str, person: str, locale: str | None) -> Iterator[None]:
        """Speak a person's language within the block, and show and read times in their zone."""
        theirs = self.person(platform, person)
        with speaking(theirs.language or locale), in_zone(theirs.zone):
            yield

    def applied(self, call: Call) -> Call:
        """Return a call with what its person and chat have set."""
        theirs = self.person(call.platform, call.person)
        chat = self.quieted(call.chat, call.platform, call.chat_id)
        return replace(call, chat=chat, language=theirs.language, zone=theirs.zone)

    def quieted(self, chat: Chat, platform: str, chat_id: str) -> Chat:
        """Return a chat that makes no sound while it is set so."""
        return SilentChat(chat, lambda: self.chat(platform, chat_id).silent)

    def opening(self, open_chat: OpenChat) -> OpenChat:
        """Return what opens chats that make no sound while they are set so."""

        def opened(platform: str, chat_id: str) -> Chat | None:
            chat = open_chat(platform, chat_id)
            return chat and self.quieted(chat, platform, chat_id)

        return opened


def _known(language: str) -> str:
    """Return a language that was kept, empty for one that this bot does not speak."""
    return language if language in LANGUAGES else ""


@contextmanager
def _read() -> Iterator[None]:
    """Log what cannot be read: what a chat is shown does not wait for my disk."""
    try:
        yield
    except StorageError as error:
        logger.warning("settings cannot be read: %s", error)
