"""One login to Discord: interactions come in and are handed over, whatever kind they are."""

import asyncio
import logging
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Self

import discord
from discord import Interaction, InteractionType
from discord.app_commands import AppCommandError, CommandTree
from discord.ui import Button, DynamicItem, Item, LayoutView

from bot.core.call import Call
from bot.discord_ui import texts
from bot.discord_ui.answering import CommandChat, DiscordPressedChat, refuse
from bot.discord_ui.change import FORM, open_form
from bot.discord_ui.chat import NOBODY, DiscordChat
from bot.discord_ui.commands import MENUS, register
from bot.discord_ui.connection import DiscordConnection
from bot.discord_ui.inbound import (
    PLATFORM,
    DiscordRequest,
    call_of,
    missing_permissions,
    place_of,
    read_form,
    read_line,
)
from bot.discord_ui.messages import (
    begun_by,
    by_a_person,
    call_of_message,
    for_the_bot,
    place_of_message,
    to_nobody_else,
)
from bot.discord_ui.place import DiscordPlace
from bot.discord_ui.suggestions import Suggestions
from bot.discord_ui.translated import Translated
from bot.discord_ui.trouble import chat_error
from bot.dispatch.command import Core
from bot.dispatch.dispatch import take_in
from shared.language import _, speaking

logger = logging.getLogger(__name__)

LONGEST_WAIT_S = 1.0  # the library would sleep longer ones off itself, and hold up whatever is newer meanwhile


class HearthClient(discord.Client):
    """Serves from its login until it is closed."""

    def __init__(self, core: Core, line: DiscordConnection, *, read_messages: bool) -> None:
        """`read_messages`: ask for the one intent that Discord has to grant."""
        super().__init__(
            intents=discord.Intents(guilds=True, guild_messages=True, dm_messages=True, message_content=read_messages),
            allowed_mentions=NOBODY,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
        )
        self.http.max_ratelimit_timeout = LONGEST_WAIT_S
        self._core = core
        self._line = line
        self._calls: set[asyncio.Task[Any]] = set()  # being answered
        self.ever_ready = False  # the gateway has let us in
        self._tree = _Tree(self)
        register(self._tree, core.commands, self.answer, Suggestions(core))
        self.add_dynamic_items(LineButton)

    async def sync(self) -> None:
        """Tell Discord every command. A table that it refuses is no reason not to serve."""
        try:
            await self._tree.set_translator(Translated())
            await self._tree.sync()
        except (discord.DiscordException, OSError) as error:
            logger.warning("Discord does not take the commands: %s", chat_error(error))

    async def stop(self) -> None:
        """Close the connection and whatever is still being answered."""
        calls = [call for call in self._calls if call is not asyncio.current_task()]
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        await self.close()

    async def on_connect(self) -> None:
        """Note that the gateway has let us in."""
        self.ever_ready = True
        logger.info("connected to Discord as %s", self.user)

    async def on_interaction(self, interaction: Interaction) -> None:
        """Take in a form that was filled in. Everything else has a handler of its own."""
        data: Mapping[str, Any] = interaction.data or {}
        if interaction.type is InteractionType.modal_submit and str(data.get("custom_id")).startswith(FORM):
            with self._addressing(interaction):
                await self._answer_press(interaction, read_form(data))

    async def on_message(self, message: discord.Message) -> None:
        """Have words answered that were written to the bot, or in a thread where they are for it all the same."""
        if self.user is None or not by_a_person(message):
            return
        addressed = for_the_bot(message, self.user)
        if not addressed and not (self.intents.message_content and to_nobody_else(message, self.user)):
            return
        place, locale = place_of_message(message), self._line.locales.get(message.author.id)
        chat = DiscordChat(self._line, place)
        with self._core.preferences.addressing(PLATFORM, str(message.author.id), locale):
            call = call_of_message(message, place, chat, self.user, locale=locale)
            meant = addressed or begun_by(self.user, message.channel) or self._core.talks.of(call) is not None
            if meant and self._line.is_new(message.id):
                await self._take_in(call)

    async def answer(self, interaction: Interaction, asked: DiscordRequest) -> None:
        """Have a slash command, a message's menu or a form answered."""
        place = place_of(interaction)
        with self._addressing(interaction):
            if place is None:
                await refuse(interaction, _(texts.NOWHERE))
            elif missing := missing_permissions(interaction):
                await refuse(interaction, _(texts.CANNOT_WRITE, permissions=", ".join(missing)))
            elif not asked.files and getattr(interaction.command, "name", "") in MENUS.values():
                await refuse(interaction, _(texts.NO_FILE))
            else:
                await self._answer(interaction, asked, place, CommandChat(self._line, place, interaction))

    async def press(self, interaction: Interaction, line: str) -> None:
        """Have a button answered."""
        asked, place = read_line(line), place_of(interaction)
        with self._addressing(interaction):
            if place is None:
                return
            chat = DiscordPressedChat(self._line, place, interaction)
            if not await open_form(interaction, asked, self._core, chat):
                await self._answer_press(interaction, asked)

    def _addressing(self, interaction: Interaction) -> AbstractContextManager[None]:
        return self._core.preferences.addressing(PLATFORM, str(interaction.user.id), str(interaction.locale))

    async def _answer_press(self, interaction: Interaction, asked: DiscordRequest) -> None:
        """Have a button or a form answered in the message that it belongs to."""
        place = place_of(interaction)
        if place is not None and interaction.message is not None:
            chat = DiscordPressedChat(self._line, place, interaction)
            await self._answer(interaction, asked, place, chat, pressed=interaction.message.id)

    async def _answer(
        self,
        interaction: Interaction,
        asked: DiscordRequest,
        place: DiscordPlace,
        chat: CommandChat | DiscordPressedChat,
        *,
        pressed: int | None = None,
    ) -> None:
        """Write down what must not get lost, tell Discord that it arrived, and have it answered."""
        if not self._line.is_new(interaction.id):
            logger.info("interaction %s was delivered twice", interaction.id)
            return
        call = call_of(interaction, place, asked, chat, pressed=pressed)
        self._line.locales[interaction.user.id] = str(interaction.locale)
        if interaction.app_permissions.attach_files:
            self._line.pictures.allow(place.room)
        await self._take_in(call, chat)

    async def _take_in(self, call: Call, chat: CommandChat | DiscordPressedChat | None = None) -> None:
        """Have a call answered; `chat`: the one of an interaction, which is told that it arrived."""
        task = asyncio.current_task()
        assert task is not None
        self._calls.add(task)
        try:
            if chat is None:
                await take_in(call, self._core)
            else:
                await take_in(call, self._core, arrived=chat.open)
                await chat.close()
        finally:
            self._calls.discard(task)


class LineButton(DynamicItem[Button[LayoutView]], template=re.compile(r"/(?s:.+)")):
    """Any button of ours, also one from before a restart: it carries the line that it stands for."""

    @classmethod
    async def from_custom_id(cls, _interaction: Interaction[Any], item: Item[Any], _match: "re.Match[str]", /) -> Self:
        """Return the button that was pressed."""
        assert isinstance(item, Button)
        return cls(item)

    async def callback(self, interaction: Interaction[Any]) -> None:
        """Say the line."""
        await interaction.client.press(interaction, self.item.custom_id or "")


class _Tree(CommandTree[HearthClient]):
    async def on_error(self, interaction: Interaction[HearthClient], error: AppCommandError, /) -> None:
        """Note what the library could not make sense of: a command that Discord still shows from before, mostly."""
        logger.warning("interaction %s: %s", interaction.id, error)
        if not interaction.response.is_done():
            with speaking(str(interaction.locale)):
                await refuse(interaction, _("I do not know this command any more. /help shows what I know."))
