"""What stands below a chat's name while something is on its way: typing, sending a file. Nobody waits for it."""

from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from telegram.constants import ChatAction

from bot.telegram_ui.connection import TelegramConnection
from bot.telegram_ui.place import TelegramPlace

AFTER_S = 1.0  # what is answered sooner needs no sign of it
EVERY_S = 4.5  # Telegram shows it for 5 s: https://core.telegram.org/bots/api#sendchataction


async def typing_while(answering: Coroutine[Any, Any, None], line: TelegramConnection, place: TelegramPlace) -> None:
    """Have something answered, and show in its chat that it is at work if that takes long."""
    async with shown(line, place, ChatAction.TYPING, after_s=AFTER_S):
        await answering


@asynccontextmanager
async def shown(
    line: TelegramConnection, place: TelegramPlace, action: ChatAction, *, after_s: float = 0.0
) -> AsyncIterator[None]:
    """Show until the end of the block what the bot is about."""
    showing = line.beside(_show(line, place, action, after_s))
    try:
        yield
    finally:
        showing.cancel()


async def _show(line: TelegramConnection, place: TelegramPlace, action: ChatAction, after_s: float) -> None:
    if after_s:
        await line.clock.sleep(after_s)
    while True:
        if line.may_act(place.chat, every_s=EVERY_S):
            line.beside(_send(line, place, action))  # by itself: once begun, it is not broken off by the answer
        await line.clock.sleep(EVERY_S)


async def _send(line: TelegramConnection, place: TelegramPlace, action: ChatAction) -> None:
    await line.once(place.chat, lambda chat: line.bot.send_chat_action(chat, action, message_thread_id=place.topic))
