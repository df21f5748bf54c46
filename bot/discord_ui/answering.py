"""The chats of an interaction: what a command is answered in, and what a pressed button is.

Discord wants a sign within 3 s and forgets an interaction after 15 min. So it is deferred at once, its first answer
takes the place of "thinking …", and that is an ordinary message of the channel, edited like any other.
"""

import contextlib
import logging
import math

from discord import Interaction, WebhookMessage

from bot.core.reply import Reply
from bot.discord_ui.chat import NOBODY, DiscordChat, picture_of, uploaded
from bot.discord_ui.connection import DiscordConnection
from bot.discord_ui.limits import TOKEN_S
from bot.discord_ui.outbound import card, pings
from bot.discord_ui.place import DiscordPlace
from bot.discord_ui.trouble import ALREADY_ANSWERED, FAILURES, ExpiredError, NotAllowedError, chat_error, translated
from bot.errors import ChatError, MessageGoneError

logger = logging.getLogger(__name__)


class CommandChat(DiscordChat):
    """The channel of a slash command or a form: the first answer becomes the interaction's own."""

    awaited = True

    def __init__(self, line: DiscordConnection, place: DiscordPlace, interaction: Interaction) -> None:
        super().__init__(line, place)
        self._interaction = interaction
        self._thinking_until = -math.inf

    async def open(self) -> None:
        """Have Discord show that we are at it. Where it is too late for that, the answer is an ordinary message."""
        if await _acknowledged(self._interaction, thinking=True):
            self._thinking_until = self._line.clock.monotonic() + TOKEN_S

    async def post(self, reply: Reply) -> str:
        """Show a message. That an answer is on its way is shown already."""
        return "" if reply.passing and self._thinking else await super().post(reply)

    async def _whisper(self, reply: Reply) -> str:
        """Show a message to who asked alone. What all see as "thinking …" cannot become one, so that goes first."""
        await self.close()
        message = self._interaction.followup.send(view=card(reply), ephemeral=True, allowed_mentions=NOBODY, wait=True)
        await translated(message)
        return ""

    async def close(self) -> None:
        """Stop thinking, if nothing was said."""
        if self._thinking:
            self._thinking_until = -math.inf
            with contextlib.suppress(*FAILURES):
                await self._interaction.delete_original_response()

    @property
    def _thinking(self) -> bool:
        return self._line.clock.monotonic() < self._thinking_until

    async def _show(self, reply: Reply) -> str:
        if not self._thinking:
            return await super()._show(reply)
        if reply.private:
            return await self._whisper(reply)
        self._thinking_until = -math.inf
        return await self._answer_first(reply)

    async def _answer_first(self, reply: Reply) -> str:
        shown = self._possible(reply)
        picture = await picture_of(shown) or []
        try:
            message = await translated(
                self._interaction.edit_original_response(
                    view=card(shown),
                    attachments=[uploaded(shown, content) for content in picture],
                    allowed_mentions=pings(shown),
                )
            )
        except (ExpiredError, MessageGoneError):  # the second: a moderator deleted "thinking …"
            return await super()._show(reply)
        except NotAllowedError:
            if not picture:
                raise
            self._line.pictures.refuse(self._place.room)
            return await self._answer_first(reply)
        return str(message.id)


class DiscordPressedChat(DiscordChat):
    """The channel of a button that was pressed. What is meant for that person alone, nobody else sees."""

    awaited = True

    def __init__(self, line: DiscordConnection, place: DiscordPlace, interaction: Interaction) -> None:
        super().__init__(line, place)
        self._interaction = interaction
        self._open_until = -math.inf
        self._passing: list[WebhookMessage] = []

    async def open(self) -> None:
        """Stop the button's spinning."""
        if await _acknowledged(self._interaction, thinking=False):
            self._open_until = self._line.clock.monotonic() + TOKEN_S

    async def close(self) -> None:
        """Take back what was of interest only until the answer was there."""
        for message in self._passing:
            with contextlib.suppress(*FAILURES):
                await message.delete()

    async def _show(self, reply: Reply) -> str:
        if not (reply.private or reply.passing) or self._line.clock.monotonic() >= self._open_until:
            return await super()._show(reply)
        try:
            message = await translated(
                self._interaction.followup.send(view=card(reply), ephemeral=True, allowed_mentions=NOBODY, wait=True)
            )
        except ExpiredError:
            return await super()._show(reply)
        if reply.passing:
            self._passing.append(message)
        return ""


async def _acknowledged(interaction: Interaction, *, thinking: bool) -> bool:
    """Tell Discord that the interaction arrived. False: it is too late, or it could not be told.

    Told before is told: the library repeats a request whose answer was a server error, and by then it was carried out.
    """
    try:
        await interaction.response.defer(thinking=thinking)
    except FAILURES as error:
        logger.info("interaction %s: %s", interaction.id, chat_error(error))
        return getattr(error, "code", None) == ALREADY_ANSWERED
    return True


async def refuse(interaction: Interaction, text: str) -> None:
    """Answer with words for that person alone, and nothing else."""
    with contextlib.suppress(ChatError):
        view = card(Reply(summary=text))
        await translated(interaction.response.send_message(view=view, ephemeral=True, allowed_mentions=NOBODY))
