"""A Discord channel or thread as a Chat. Everything is sent with the bot's own token, which does not expire.

A job has a thread of its own from its first file on, and its files go there; where there can be none, beside the
message that they belong to.
"""

import hashlib
import io
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

import discord
from discord import AllowedMentions, Client, Message

from bot.core.blocks import Note
from bot.core.capabilities import Capabilities
from bot.core.reply import Reply
from bot.discord_ui import texts
from bot.discord_ui.connection import DiscordConnection
from bot.discord_ui.files import Spooled, batches, spooled
from bot.discord_ui.limits import UPLOAD_BYTES, capabilities
from bot.discord_ui.outbound import attached_name, card, file_list, pings
from bot.discord_ui.place import DiscordPlace
from bot.discord_ui.threads import wake
from bot.discord_ui.trouble import ArchivedError, NotAllowedError
from bot.errors import ChatBusyError, ChatClosedError, ChatError
from shared.language import _

logger = logging.getLogger(__name__)

T = TypeVar("T")

NOBODY = AllowedMentions.none()
NONCE_LENGTH = 25


class DiscordChat:
    """One channel or thread."""

    awaited = False  # a person waits for what is shown: it is sent late rather than given up

    def __init__(self, line: DiscordConnection, place: DiscordPlace) -> None:
        self._line = line
        self._place = place

    @property
    def capabilities(self) -> Capabilities:
        """Return what the channel can show; how large a file may be depends on its server."""
        client = self._line.client
        channel = client.get_channel(self._place.channel) if client is not None else None
        guild = getattr(channel, "guild", None)
        return capabilities(guild.filesize_limit if guild is not None else UPLOAD_BYTES)

    async def post(self, reply: Reply) -> str:
        """Send one message, and then its files."""
        async with spooled(reply.files) as files:
            message_id = await self._show(reply)
            if files:
                await self._hand_over(reply, message_id, files)
            elif reply.live:
                await self._keep_thread(reply, message_id)
        return message_id

    async def edit(self, message_id: str, reply: Reply) -> None:
        """Replace a message. Its one picture is replaced, kept or taken away."""
        async with spooled(reply.files) as files:
            await self._replace(int(message_id), self._possible(reply, message_id))
            if files:
                await self._hand_over(reply, message_id, files)
            else:
                await self._keep_thread(reply, message_id)

    async def next_best(self, person: str) -> str | None:
        """Return the channel of a thread; of a channel, the person's direct messages."""
        if self._place.thread is not None:
            return str(self._place.channel)
        if not person.isdecimal():
            return None
        direct = await self._line.send(lambda client: client.create_dm(discord.Object(int(person))))
        return str(direct.id) if direct.id != self._place.channel else None

    async def _replace(self, message_id: int, reply: Reply) -> None:
        picture = await picture_of(reply)

        async def replaced(client: Client) -> Message:
            message = client.get_partial_messageable(self._place.room).get_partial_message(message_id)
            if picture is None:
                return await message.edit(view=card(reply), allowed_mentions=NOBODY)
            attachments = [uploaded(reply, content) for content in picture]
            return await message.edit(view=card(reply), attachments=attachments, allowed_mentions=NOBODY)

        try:
            await self._send(replaced, patient=self.awaited or not reply.live)
        except NotAllowedError:
            if not picture:
                raise
            self._line.pictures.refuse(self._place.room)
            await self._replace(message_id, self._possible(reply, str(message_id)))

    def _possible(self, reply: Reply, message_id: str | None = None) -> Reply:
        """Return the reply, without its picture where the bot may not attach files; a card goes on without a word."""
        shown = self._line.pictures.possible(reply, self._place.room, int(message_id) if message_id else None)
        if shown is reply or reply.live:
            return shown
        return replace(shown, blocks=(*shown.blocks, Note(text=_(texts.MAY_NOT_ATTACH))))

    async def _show(self, reply: Reply) -> str:
        """Send the message itself, without its files; without its picture where that is all that is allowed."""
        shown = self._possible(reply)
        picture = await picture_of(shown) or []
        nonce = self._nonce(shown)

        async def sent(client: Client) -> Message:
            return await client.get_partial_messageable(self._place.room).send(
                view=card(shown),
                files=[uploaded(shown, content) for content in picture],
                allowed_mentions=pings(shown),
                silent=shown.live or shown.quiet or shown.silent,
                nonce=nonce,
            )

        try:
            message = await self._send(sent)
        except NotAllowedError:
            if not picture:
                raise
            self._line.pictures.refuse(self._place.room)
            return await self._show(reply)
        if shown is not reply:
            self._line.pictures.left_out(message.id)
        return str(message.id)

    async def _send(self, request: Callable[[Client], Awaitable[T]], *, patient: bool = True) -> T:
        try:
            return await self._line.send(request, patient=patient)
        except ArchivedError:
            await self._line.send(lambda client: wake(client, self._place.room))
            return await self._line.send(request, patient=patient)

    def _nonce(self, reply: Reply) -> str:
        """Return by what Discord tells a message that it has already: for some minutes it sends none twice.

        A result is the same however often it is tried. Anything else may be asked for twice and is shown twice.
        """
        if reply.mention is None:
            return secrets.token_hex(NONCE_LENGTH // 2)
        return hashlib.sha256(f"{self._place} {reply.mention} {reply.text}".encode()).hexdigest()[:NONCE_LENGTH]

    # --- the job's thread and its files

    async def _keep_thread(self, card: Reply, message_id: str) -> None:
        """Keep a job's thread awake as long as its card is shown. The card does not depend on it."""

        async def kept(client: Client) -> None:
            await self._line.threads.keep(client, self._place, card.folder, message_id)

        try:
            await self._line.send(kept, patient=self.awaited)
        except ChatClosedError as error:
            logger.warning("the thread of message %s is given up: %s", message_id, error)
            self._line.threads.lose(self._place, card.folder)
        except ChatError as error:
            logger.warning("thread of message %s: %s", message_id, error)

    async def _hand_over(self, reply: Reply, message_id: str, files: list[Spooled]) -> None:
        """Send files. The message is there, so a failure is said, not raised: it would come a second time."""

        async def found(client: Client) -> int:
            return await self._line.threads.room(client, self._place, reply.folder, message_id)

        try:
            try:
                room = await self._line.send(found)
            except ChatBusyError:
                raise
            except ChatError as error:
                logger.warning("no thread at message %s: %s", message_id, error)
                room = self._place.room
            if self._line.threads.newly_forbidden(self._place):
                await self._show(Reply(summary=_no_threads(), quiet=True))
            await self._send_all(room, reply, files)
        except ChatError as error:
            logger.warning("files of message %s: %s", message_id, error)
            try:
                await self._show(Reply(summary=_not_attached(reply, error), quiet=True))
            except ChatError as refused:
                logger.warning("could not say so: %s", refused)

    async def _send_all(self, room: int, reply: Reply, files: list[Spooled]) -> None:
        """Send files to a room; where the bot may not, to the next best: thread, channel, the person's own."""
        try:
            for batch in batches(files):
                await self._send_files(room, batch)
        except ArchivedError:  # by somebody who locked it, or it had been waked up
            self._line.threads.lose(self._place, reply.folder)
            await self._send_all(self._place.room, reply, files)
        except ChatClosedError as closed:
            if room != self._place.room:
                logger.warning("room %s takes no files: %s", room, closed)
                if not isinstance(closed, NotAllowedError):  # a permission may come back
                    self._line.threads.lose(self._place, reply.folder)
                await self._send_all(self._place.room, reply, files)
                return
            direct = await self.next_best(reply.mention) if reply.mention else None
            if direct is None:
                raise
            for batch in batches(files):
                await self._send_files(int(direct), batch)
            await self._show(Reply(summary=_(texts.FILES_DIRECT), quiet=True))

    async def _send_files(self, room: int, batch: list[Spooled]) -> None:
        nonce = secrets.token_hex(NONCE_LENGTH // 2)
        await self._line.send(
            lambda client: client.get_partial_messageable(room).send(
                view=file_list([file.name for file in batch]),
                files=[file.file() for file in batch],
                allowed_mentions=NOBODY,
                silent=True,
                nonce=nonce,
            )
        )


def _not_attached(reply: Reply, error: ChatError) -> str:
    """Return that the files did not arrive, why, and how to have them."""
    why = _(texts.MAY_NOT_ATTACH) if isinstance(error, ChatClosedError) else ""
    again = _("Then {again} sends them.", again=reply.again) if why else _("Try {again}.", again=reply.again)
    return " ".join(part for part in (_(texts.NOT_ATTACHED), why, again if reply.again else "") if part)


def _no_threads() -> str:
    return _(
        "I may not begin threads in this channel, so a job's files come into it. For a thread a job I need the "
        "permissions Create Public Threads and Send Messages in Threads."
    )


async def picture_of(reply: Reply) -> list[bytes] | None:
    """Return the picture to upload, if any; None: the one that the message has stays."""
    if reply.image is None:
        return []
    if reply.image.shown:
        return None
    return [b"".join([chunk async for chunk in reply.image.file.open()])]


def uploaded(reply: Reply, content: bytes) -> discord.File:
    """Return a picture as the library sends it; each try needs one of its own."""
    assert reply.image is not None
    return discord.File(io.BytesIO(content), filename=attached_name(reply.image.file.name))
