"""Files from and to Discord, a piece at a time: what somebody sent may be larger than this machine's memory."""

import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import IO, Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import discord

from bot.core.call import Attachment
from bot.core.reply import File
from bot.discord_ui.connection import DiscordConnection
from bot.discord_ui.limits import FILES_A_MESSAGE, REQUEST_BYTES
from bot.discord_ui.outbound import attached_name
from bot.discord_ui.texts import EXPIRED, GONE
from bot.errors import BadCallError, MessageGoneError
from bot.words.format import size
from shared.language import _

CHUNK_BYTES = 1 << 16
TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=30)
_MESSAGE = re.compile(r"message:(\d{1,20})/(\d{1,20})/(\d{1,20})")
_LINK = "link:"


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A file that a person sent. `message`: the channel and message it hangs on; a slash command's is on none."""

    id: int
    name: str
    size: int
    url: str
    message: tuple[int, int] | None = None

    @classmethod
    def of(cls, attachment: discord.Attachment, message: tuple[int, int] | None = None) -> "Sent":
        """Return what the library knows of a file."""
        return cls(
            id=attachment.id, name=attachment.filename, size=attachment.size, url=attachment.url, message=message
        )

    @property
    def reference(self) -> str:
        """Return what finds the file again: its message, else its link, which Discord ends after some hours."""
        if self.message is None:
            return f"{_LINK}{self.size}:{self.url}"
        return f"message:{self.message[0]}/{self.message[1]}/{self.id}"

    def attachment(self) -> Attachment:
        """Return the file as the core reads it, when the core reads it."""
        return Attachment(
            name=self.name, size=self.size, open=partial(download, self.url, self.size), reference=self.reference
        )


async def find_again(line: DiscordConnection, reference: str) -> Attachment:
    """Return a file by its reference and a fresh link. Raise BadCallError if it is gone, ChatError if not now."""
    if reference.startswith(_LINK):
        return _by_link(reference.removeprefix(_LINK), now=line.clock.now())
    found = _MESSAGE.fullmatch(reference)
    if found is None:
        raise BadCallError(_(GONE))
    channel, message_id, file_id = (int(part) for part in found.groups())
    try:
        message = await line.send(lambda client: client.get_partial_messageable(channel).fetch_message(message_id))
    except MessageGoneError:
        raise BadCallError(_(GONE)) from None
    for attachment in message.attachments:
        if attachment.id == file_id:
            return Sent.of(attachment, (channel, message_id)).attachment()
    raise BadCallError(_(GONE))


async def download(url: str, limit: int | None) -> AsyncIterator[bytes]:
    """Yield a file's bytes; raise BadCallError where there are more than `limit`, or its link has expired."""
    seen = 0
    try:
        async with aiohttp.ClientSession(timeout=TIMEOUT) as session, session.get(url) as response:
            if response.status in {403, 404}:
                raise BadCallError(_(EXPIRED))
            if response.status != 200:
                raise BadCallError(
                    _("Discord's file server answered {status}. Try again in a while.", status=response.status)
                )
            async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                seen += len(chunk)
                if limit is not None and seen > limit:
                    raise BadCallError(_("it is larger than the {size} that Discord said.", size=size(limit)))
                yield chunk
    except (aiohttp.ClientError, TimeoutError) as cause:  # its words hold the signed address
        raise BadCallError(_("the download broke off ({kind}). Try once more.", kind=type(cause).__name__)) from None


@dataclass(frozen=True, kw_only=True)
class Spooled:
    """A file ready to send, on this machine's disk. Each try needs a `discord.File` of its own."""

    name: str
    size: int
    content: IO[bytes]

    def file(self) -> discord.File:
        """Return what the library sends, in pieces, from the beginning."""
        self.content.seek(0)
        return discord.File(self.content, filename=self.name)  # type: ignore[arg-type]  # any binary file will do


@asynccontextmanager
async def spooled(files: tuple[File, ...]) -> AsyncIterator[list[Spooled]]:
    """Have files ready to send. What they cannot be read from fails here, before anything is shown."""
    async with AsyncExitStack() as open_files:
        ready = []
        for file in files:
            content = tempfile.TemporaryFile()  # noqa: SIM115 -- the next line closes it
            open_files.enter_context(content)
            async for chunk in file.open():
                content.write(chunk)
            ready.append(Spooled(name=attached_name(file.name), size=content.tell(), content=content))
        yield ready


def batches(files: list[Spooled]) -> list[list[Spooled]]:
    """Return files as messages take them: so many, and together below what one request may have."""
    result: list[list[Spooled]] = []
    for file in files:
        last = result[-1] if result else []
        if not last or len(last) == FILES_A_MESSAGE or sum(it.size for it in last) + file.size > REQUEST_BYTES:
            result.append([file])
        else:
            last.append(file)
    return result


def _by_link(link: str, *, now: float) -> Attachment:
    byte_count, _colon, url = link.partition(":")
    ends: list[Any] = parse_qs(urlsplit(url).query).get("ex", [])
    try:
        limit = int(byte_count)
        expired = bool(ends) and int(ends[0], 16) <= now
    except ValueError:
        raise BadCallError(_(GONE)) from None
    if expired:
        raise BadCallError(_(EXPIRED))
    return Attachment(name="file", size=limit, open=partial(download, url, limit), reference=_LINK + link)
