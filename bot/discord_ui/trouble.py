"""Discord's refusals as the bot's own errors."""

from collections.abc import Awaitable
from typing import TypeVar

import aiohttp
from discord import Forbidden, HTTPException, RateLimited
from discord.errors import DiscordException

from bot.errors import ChatBusyError, ChatClosedError, ChatError, MessageGoneError

T = TypeVar("T")

UNKNOWN_CHANNEL = 10003
UNKNOWN_MESSAGE = 10008
UNKNOWN_GUILD, UNKNOWN_MEMBER = 10004, 10007
UNKNOWN_WEBHOOK = 10015  # as which an interaction's token is known once it has expired
UNKNOWN_INTERACTION = 10062
ALREADY_ANSWERED = 40060
ARCHIVED = 50083
LOCKED = 160005  # a thread, by a moderator
BUSY_S = 5.0  # where Discord does not say how long
FAILURES = (DiscordException, aiohttp.ClientError, OSError, TimeoutError, RuntimeError)  # the last: session closed


class ArchivedError(ChatError):
    """The message is in a thread that was archived: nothing in it can be edited."""


class NotAllowedError(ChatClosedError):
    """The bot lacks a permission there."""


class NotThereError(ChatError):
    """There is no such member, or no such server that the bot is in."""


class ExpiredError(ChatError):
    """The interaction can be answered no more. The channel still can be written to."""


async def translated(request: Awaitable[T]) -> T:
    """Return a request's answer; raise ChatError and its kin in place of the library's errors."""
    try:
        return await request
    except FAILURES as error:
        raise chat_error(error) from None


def chat_error(error: Exception) -> ChatError:
    """Return what went wrong as the core knows it."""
    if isinstance(error, RateLimited):
        return ChatBusyError(error.retry_after)
    if not isinstance(error, HTTPException):
        return ChatError(f"I cannot reach Discord ({type(error).__name__})")
    if error.status == 429:
        return ChatBusyError(_wait_s(error))
    if error.code == UNKNOWN_MESSAGE:
        return MessageGoneError(error.text)
    if error.code in {UNKNOWN_CHANNEL, LOCKED}:
        return ChatClosedError(f"Discord says: {error.text}")
    if error.code == ARCHIVED:
        return ArchivedError(error.text)
    if error.code in {UNKNOWN_MEMBER, UNKNOWN_GUILD}:
        return NotThereError(error.text)
    if error.code in {UNKNOWN_WEBHOOK, UNKNOWN_INTERACTION}:
        return ExpiredError(error.text)
    if isinstance(error, Forbidden):
        return NotAllowedError(f"Discord does not let me write there: {error.text or 'no access'}")
    return ChatError(f"Discord answered {error.status}: {error.text or 'no reason given'}")


def _wait_s(error: HTTPException) -> float:
    try:
        return float(error.response.headers.get("Retry-After", BUSY_S))
    except ValueError:
        return BUSY_S
