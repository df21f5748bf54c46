"""Files from and to Telegram, a piece at a time: what somebody sent may be larger than this machine's memory."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from telegram import Bot, InputFile
from telegram.error import BadRequest, TelegramError

from bot.core.reply import File
from bot.errors import BadCallError, ChatError
from bot.telegram_ui.certificates import trusted
from bot.telegram_ui.limits import Limits
from bot.telegram_ui.trouble import reason, says
from bot.words.format import size
from shared.language import N_, _

CHUNK_BYTES = 1 << 16
TIMEOUT = httpx.Timeout(30.0)
GONE = N_("That file is not in the chat any more. Send it once more.")


class Downloads:
    """The files that people sent to one bot."""

    def __init__(self, bot: Bot, limits: Limits, *, local: bool) -> None:
        """`local`: the server is the owner's own, so a path on this machine may be believed."""
        self._bot = bot
        self._limits = limits
        self._local = local

    async def look_up(self, file_id: str) -> tuple[str, int | None]:
        """Return where a file can be had now and its bytes. Raise BadCallError if it is gone, ChatError if not now."""
        try:
            file = await self._bot.get_file(file_id)
        except BadRequest as error:
            if says(error, "file is too big"):
                raise BadCallError(
                    _(
                        "Telegram gives bots no file as large as this one; its limit is {size}. Send fewer rows, "
                        "or have the owner of this bot run a local Bot API server (TELEGRAM_API_BASE).",
                        size=size(self._limits.download_bytes),
                    )
                ) from None
            raise BadCallError(_(GONE)) from None
        except TelegramError as error:
            raise ChatError(reason(error)) from None
        if not file.file_path:
            raise BadCallError(_(GONE))
        return file.file_path, file.file_size

    async def read(self, file_id: str) -> AsyncIterator[bytes]:
        """Yield a file's bytes by a fresh link; raise BadCallError where it grows beyond the limit."""
        where, _bytes = await self.look_up(file_id)
        limit, seen = self._limits.download_bytes, 0
        async for chunk in self._chunks(where):
            seen += len(chunk)
            if limit is not None and seen > limit:
                raise BadCallError(_("it is larger than the {size} that Telegram gives bots.", size=size(limit)))
            yield chunk

    def _chunks(self, where: str) -> AsyncIterator[bytes]:
        base = self._bot.base_file_url
        path = where.removeprefix(f"{base}/")
        if path.startswith("/") and self._local:
            return _from_disk(Path(path))
        return _from_server(f"{base}/{path}")


async def _from_disk(path: Path) -> AsyncIterator[bytes]:
    """Read what a local Bot API server has put on this machine's disk."""
    try:
        with path.open("rb") as file:
            while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
                yield chunk
    except OSError as cause:
        raise BadCallError(
            _(
                "the Bot API server keeps it at {path}, and I cannot read that: {reason}. Server and "
                "bot have to run on one machine, and the bot must be let in.",
                path=path,
                reason=cause.strerror,
            )
        ) from None


async def _from_server(url: str) -> AsyncIterator[bytes]:
    try:
        async with (
            httpx.AsyncClient(timeout=TIMEOUT, verify=trusted()) as client,
            client.stream("GET", url) as response,
        ):
            if response.status_code == httpx.codes.NOT_FOUND:
                raise BadCallError(_(GONE))
            if response.status_code != httpx.codes.OK:
                raise ChatError(f"Telegram's file server answered {response.status_code}.")
            async for chunk in response.aiter_bytes(CHUNK_BYTES):
                yield chunk
    except httpx.HTTPError as cause:  # its words may hold the address, and that the token
        raise ChatError(f"the download broke off ({type(cause).__name__}).") from None


@asynccontextmanager
async def spooled(file: File, *, in_album: bool = False) -> AsyncIterator[InputFile]:
    """Have a file ready to send; in an album, the parts of which are named by the request.

    The library needs its length first and would read an open file into memory whole. `read_file_handle=False` makes it
    hand the open file on to httpx, which sends it in pieces; so it is written to disk first.
    """
    with tempfile.TemporaryFile() as spool:
        async for chunk in file.open():
            spool.write(chunk)
        spool.seek(0)
        yield InputFile(spool, filename=file.name, attach=in_album, read_file_handle=False)


async def content(file: File) -> bytes:
    """Return a small file whole: a plot."""
    return b"".join([chunk async for chunk in file.open()])
