"""The menu of commands that Telegram shows beside the keyboard, for private chats and for groups."""

import logging

from telegram import Bot, BotCommand, BotCommandScopeAllGroupChats, BotCommandScopeAllPrivateChats
from telegram.error import BadRequest

from bot.core import Command

logger = logging.getLogger(__name__)

PRIVATE_ONLY = (BotCommand("start", "what this is"), BotCommand("settings", "what can be set"))


async def register(bot: Bot, commands: tuple[Command, ...]) -> None:
    """Tell Telegram every command of the table. A menu that it refuses is no reason not to serve."""
    listed = [BotCommand(command.name, command.summary) for command in commands]
    try:
        await bot.set_my_commands([*listed, *PRIVATE_ONLY], scope=BotCommandScopeAllPrivateChats())
        await bot.set_my_commands(listed, scope=BotCommandScopeAllGroupChats())
    except BadRequest as error:
        logger.warning("Telegram does not take the menu of commands: %s", error.message)
