"""Telegram's refusals as the bot's own errors. The library's words for a bad token hold the token: they stop here."""

from collections.abc import Awaitable
from datetime import timedelta
from typing import TypeVar

from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from bot.errors import ChatBusyError, ChatClosedError, ChatError, MessageGoneError

T = TypeVar("T")

UNCHANGED = "message is not modified"
GONE = ("message to edit not found", "message can't be edited", "message_id_invalid", "message not found")
CLOSED = (
    *("chat not found", "chat_write_forbidden", "chat_restricted", "have no rights to send a message"),
    *("not enough rights to send text messages", "topic_closed", "topic_deleted", "message thread not found"),
)
NO_MEDIA = tuple(f"not enough rights to send {media}" for media in ("photos", "documents", "media"))
NO_TEXT = "there is no text in the message to edit"
NO_CAPTION = "there is no caption in the message to edit"


class ChatMovedError(MessageGoneError):
    """The group has become a supergroup, which has another id and none of the messages of before."""

    def __init__(self, to: int) -> None:
        super().__init__(f"it is now {to}")
        self.to = to


class NoMediaError(ChatError):
    """Texts may be sent there, and not what was to be sent."""


async def translated(request: Awaitable[T]) -> T | None:
    """Return a request's answer; raise ChatError and its kin, or ChatMigrated, in place of the library's errors.

    None: nothing had changed, so it was edited well.
    """
    try:
        return await request
    except ChatMigrated:
        raise
    except RetryAfter as error:
        raise ChatBusyError(seconds(error.retry_after)) from None
    except BadRequest as error:
        if says(error, UNCHANGED):
            return None
        if says(error, *GONE):
            raise MessageGoneError(error.message) from None
        if says(error, *NO_MEDIA):
            raise NoMediaError(f"Telegram refused: {error.message}") from None
        if says(error, *CLOSED):
            raise ChatClosedError(f"Telegram refused: {error.message}") from None
        raise ChatError(f"Telegram refused: {error.message}") from None
    except Forbidden as error:
        raise ChatClosedError(reason(error)) from None
    except TelegramError as error:
        raise ChatError(reason(error)) from None


def says(error: TelegramError, *texts: str) -> bool:
    """Say whether an error is one of those that Telegram tells apart only by their words."""
    return any(text in error.message.lower() for text in texts)


def seconds(span: int | timedelta) -> float:
    """Return a span of time in seconds."""
    return span.total_seconds() if isinstance(span, timedelta) else float(span)


def reason(error: TelegramError) -> str:
    """Return in a line what went wrong."""
    if isinstance(error, Forbidden):
        return f"Telegram does not let me write there: {error.message}"
    if isinstance(error, InvalidToken):
        return "Telegram does not accept my token"
    if isinstance(error, Conflict):
        return "another program reads this bot's messages: only one may run with this token"
    if isinstance(error, TimedOut):
        return "Telegram did not answer in time"
    if isinstance(error, NetworkError) and error.__cause__ is not None:
        return f"I cannot reach Telegram ({type(error.__cause__).__name__})"
    return f"Telegram answered: {error.message}"
