"""A Discord channel or thread as a Chat. Everything is sent with the bot's own token, which does not expire.

Files of a job go into a thread of its own, below the message that they belong to; where there can be none, beside it.
"""

import hashlib
import io
import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import TypeVar

import discord
from discord import AllowedMentions, Client, Message, PartialMessage, TextChannel

from bot.capabilities import Capabilities
from bot.discord_ui import texts
from bot.discord_ui.files import Spooled, batches, spooled
from bot.discord_ui.limits import THREAD_MINUTES, UPLOAD_BYTES, capabilities
from bot.discord_ui.line import Line
from bot.discord_ui.outbound import attached_name, card, file_list, pings
from bot.discord_ui.place import Place
from bot.discord_ui.trouble import ArchivedError
from bot.errors import ChatError
from bot.format import wrap
from bot.reply import Reply
from shared.language import _

logger = logging.getLogger(__name__)

T = TypeVar("T")

NOBODY = AllowedMentions.none()
NONCE_LENGTH = 25


class DiscordChat:
    """One channel or thread."""

    awaited = False  # a person waits for what is shown: it is sent late rather than given up

    def __init__(self, line: Line, place: Place) -> None:
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
        return message_id

    async def edit(self, message_id: str, reply: Reply) -> None:
        """Replace a message. Its one picture is replaced, kept or taken away."""
        async with spooled(reply.files) as files:
            picture = await picture_of(reply)

            async def replaced(client: Client) -> Message:
                if picture is None:
                    return await self._message(client, message_id).edit(view=card(reply), allowed_mentions=NOBODY)
                attachments = [uploaded(reply, content) for content in picture]
                message = self._message(client, message_id)
                return await message.edit(view=card(reply), attachments=attachments, allowed_mentions=NOBODY)

            await self._send(replaced, patient=self.awaited or not reply.live)
            if files:
                await self._hand_over(reply, message_id, files)

    async def _show(self, reply: Reply) -> str:
        """Send the message itself, without its files."""
        picture = await picture_of(reply) or []
        nonce = self._nonce(reply)

        async def sent(client: Client) -> Message:
            return await client.get_partial_messageable(self._place.room).send(
                view=card(reply),
                files=[uploaded(reply, content) for content in picture],
                allowed_mentions=pings(reply),
                silent=reply.live or reply.quiet,
                nonce=nonce,
            )

        return str((await self._send(sent)).id)

    async def _send(self, request: Callable[[Client], Awaitable[T]], *, patient: bool = True) -> T:
        try:
            return await self._line.send(request, patient=patient)
        except ArchivedError:
            await self._line.send(self._unarchived)
            return await self._line.send(request, patient=patient)

    async def _unarchived(self, client: Client) -> None:
        """Wake the thread up. Only that may be changed without the right to manage threads."""
        thread = await client.fetch_channel(self._place.room)
        if isinstance(thread, discord.Thread):
            await thread.edit(archived=False)

    def _message(self, client: Client, message_id: str) -> PartialMessage:
        return client.get_partial_messageable(self._place.room).get_partial_message(int(message_id))

    def _nonce(self, reply: Reply) -> str:
        """Return by what Discord tells a message that it has already: for some minutes it sends none twice.

        A result is the same however often it is tried. Anything else may be asked for twice and is shown twice.
        """
        if reply.mention is None:
            return secrets.token_hex(NONCE_LENGTH // 2)
        return hashlib.sha256(f"{self._place} {reply.mention} {reply.text}".encode()).hexdigest()[:NONCE_LENGTH]

    # --- files

    async def _hand_over(self, reply: Reply, message_id: str, files: list[Spooled]) -> None:
        """Send files. The message is there, so a failure is said, not raised: it would come a second time."""
        try:
            thread = await self._line.send(lambda client: self._thread(client, reply, message_id))
            for batch in batches(files):
                await self._send_files(thread, batch)
        except ChatError as error:
            logger.warning("files of message %s: %s", message_id, error)
            again = _(" Try {again}.", again=reply.again) if reply.again else ""
            try:
                await self._show(Reply(text="\n".join(wrap(_(texts.NOT_ATTACHED) + again)), quiet=True))
            except ChatError as refused:
                logger.warning("could not say so: %s", refused)

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

    async def _thread(self, client: Client, reply: Reply, message_id: str) -> int:
        """Return the job's thread, begun here if there is none; or this room, where there can be none."""
        channel = client.get_channel(self._place.channel)
        if self._place.thread is not None or not reply.folder or not isinstance(channel, TextChannel):
            return self._place.room
        for thread in channel.threads:
            if thread.name == reply.folder and client.user is not None and thread.owner_id == client.user.id:
                return thread.id
        message = channel.get_partial_message(int(message_id))
        try:
            return (await message.create_thread(name=reply.folder[:100], auto_archive_duration=THREAD_MINUTES)).id
        except discord.Forbidden:
            return self._place.room


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
