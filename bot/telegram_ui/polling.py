"""Asks Telegram for updates, for ever: through failures of every kind, until it does not know the token.

They are asked for here rather than by the library's Updater: it confirms them before anybody has seen them. Ours are
confirmed by the next request, and by then every call that changes something is written down.
"""

import logging
from collections.abc import AsyncIterator

from telegram import Bot, Update
from telegram.error import InvalidToken, RetryAfter, TelegramError

from bot.core.clock import Clock, backoff_s
from bot.dispatch.command import Command
from bot.telegram_ui.menu import register
from bot.telegram_ui.trouble import reason, seconds

logger = logging.getLogger(__name__)

POLL_S = 25
UPDATES = ("message", "edited_message", "callback_query")


async def connect(bot: Bot, commands: tuple[Command, ...], clock: Clock) -> None:
    """Connect a bot and show its menu of commands. Raise InvalidToken if Telegram does not know it."""
    failures = 0
    while True:
        try:
            await bot.initialize()
            await bot.delete_webhook()
            await register(bot, commands)
        except InvalidToken:
            raise
        except TelegramError as error:
            failures += 1
            await _pause(error, failures, clock)
        else:
            logger.info("connected to Telegram as @%s", bot.username)
            return


async def updates(bot: Bot, clock: Clock) -> AsyncIterator[Update]:
    """Yield what comes in; each is confirmed after all that came with it. Raise InvalidToken if it was revoked."""
    offset, failures = None, 0
    while True:
        try:
            came = await bot.get_updates(offset=offset, timeout=POLL_S, allowed_updates=UPDATES)
        except TelegramError as error:
            if isinstance(error, InvalidToken) and "unauthorized" in error.message.lower():
                raise
            failures += 1
            await _pause(error, failures, clock)
            continue
        failures = 0
        for update in came:
            offset = update.update_id + 1
            yield update


async def _pause(error: TelegramError, failures: int, clock: Clock) -> None:
    if failures == 1:
        logger.warning("%s. I keep trying.", reason(error))
    await clock.sleep(seconds(error.retry_after) if isinstance(error, RetryAfter) else backoff_s(failures))
