"""What Telegram itself shows of the bot, in each language: its menu of commands, and what it is for."""

import logging

from telegram import Bot, BotCommand, BotCommandScopeAllGroupChats, BotCommandScopeAllPrivateChats
from telegram.error import BadRequest, RetryAfter

from bot.dispatch.command import Command
from shared.language import ENGLISH, LANGUAGES, N_, _, speaking

logger = logging.getLogger(__name__)

DESCRIPTION = N_(  # what stands in an empty chat, above Start
    "Teach a language model your own style, on the GPU at home. Send me a JSONL, JSON or CSV file with examples: I "
    "show what I understood and a plan first. You watch it learn on one card, and get back a model for Ollama."
)
SHORT = N_("Fine-tunes a language model on your data, on the GPU at home.")  # on its profile
PRIVATE_ONLY = {"start": N_("what this is")}


async def register(bot: Bot, commands: tuple[Command, ...]) -> None:
    """Tell Telegram every command of the table, in every language. A menu that it refuses is no reason not to serve."""
    listed = {command.name: command.summary for command in commands}
    try:
        for language in LANGUAGES:
            private, group = _menu(listed | PRIVATE_ONLY, language), _menu(listed, language)
            code = None if language == ENGLISH else language  # without a code it is for all who have none of their own
            await bot.set_my_commands(private, scope=BotCommandScopeAllPrivateChats(), language_code=code)
            await bot.set_my_commands(group, scope=BotCommandScopeAllGroupChats(), language_code=code)
            with speaking(language):
                await bot.set_my_description(_(DESCRIPTION), language_code=code)
                await bot.set_my_short_description(_(SHORT), language_code=code)
    except (BadRequest, RetryAfter) as error:
        logger.warning("Telegram does not take the menu of commands: %s", error.message)


def _menu(summaries: dict[str, str], language: str) -> list[BotCommand]:
    with speaking(language):
        return [BotCommand(name, _(summary)) for name, summary in summaries.items()]
