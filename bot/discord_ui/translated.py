"""What Discord shows of the commands, in its users' languages: descriptions, options, menus. Names of commands stay."""

from discord import Locale
from discord.app_commands import (
    ContextMenu,
    TranslationContextLocation,
    TranslationContextTypes,
    Translator,
    locale_str,
)

from bot.discord_ui.limits import DESCRIPTION_LENGTH
from bot.words.format import clip
from shared.language import ENGLISH, _, best, speaking

NAMES = (  # typed, and named in texts and guides: the same for everybody
    TranslationContextLocation.command_name,
    TranslationContextLocation.group_name,
    TranslationContextLocation.parameter_name,
)


class Translated(Translator):
    """Asks the catalogue for each text of each language."""

    async def translate(self, string: locale_str, locale: Locale, context: TranslationContextTypes) -> str | None:
        """Return the text, or None where Discord shall show the English one."""
        typed = context.location in NAMES and not isinstance(context.data, ContextMenu)
        if typed or best(locale.value) == ENGLISH:
            return None
        with speaking(locale.value):
            return clip(_(string.message), DESCRIPTION_LENGTH)
