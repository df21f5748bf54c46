"""The bytes of an untrusted upload, unpacked as they are read: plain, gzip, or what is meant of a zip archive.

Told by content, never by name. Nothing is written to disk, and what unpacks to too much is refused while it is read.
"""

import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import IO, BinaryIO, NoReturn

from agent.data.readers.archive import choose_members
from agent.data.readers.file_kinds import (
    GZIP,
    OLE,
    PARQUET,
    UTF_16,
    ZIP,
    is_workbook,
    refuse_no_text,
    refuse_office,
)
from agent.data.readers.gunzip import Gunzip
from agent.data.readers.recoded import from_utf16, with_line_feeds
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.language import _

HEAD_BYTES = 1 << 16
UNPACKED_BYTES = 2 << 30  # at most, of anything packed
RATIO = 200  # a packed file may grow so many times, which text does not; small ones may grow as they like
SMALL_BYTES = 16 << 20
WHOLE_BYTES = 256 << 20  # of a table inside an archive, which has to be held whole


@dataclass(frozen=True, kw_only=True)
class PartRead:
    """What was read of a file that holds several things, and what was not."""

    read: tuple[str, ...]
    left: tuple[str, ...]


@dataclass(kw_only=True)
class ReadSoFar:
    """How many bytes of a file, as it lies on disk, were read, and what they turned out to be."""

    at: int = 0
    encoding: str | None = None  # that it was converted from
    part: PartRead | None = None  # None: the whole


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file as it is read. Every `open` begins anew."""

    unpack: Callable[[], BinaryIO]
    head: bytes  # the first bytes of what is unpacked
    path: Path | None  # None: it lies packed
    meter: ReadSoFar
    is_workbook: bool = False  # of Excel or LibreOffice
    is_one_text: bool = False  # of several in an archive

    @property
    def is_parquet(self) -> bool:
        """Whether it is a table in Parquet's own form rather than text."""
        return self.head.startswith(PARQUET)

    @property
    def is_text(self) -> bool:
        """Whether it is text rather than a table in a form of its own."""
        return not self.is_parquet and not self.is_workbook

    @property
    def head_text(self) -> str:
        """Its first characters, as far as they are UTF-8; whatever is unseen before them is left out."""
        with self.open() as file:
            return file.read(HEAD_BYTES).decode("utf-8-sig", "ignore").lstrip()

    def open(self) -> io.BufferedReader:
        """Return its bytes; text as UTF-8. Raises AgentError while it is read."""
        raw = self.unpack()
        if self.head.startswith(UTF_16):
            raw = from_utf16(raw)
        elif self.is_text and b"\r" in self.head and b"\n" not in self.head:
            raw = with_line_feeds(raw)
        return io.BufferedReader(raw)  # type: ignore[arg-type]  # a file on disk is typed BinaryIO, and is one

    def read(self, limit: int) -> bytes | None:
        """Return the whole of it, or None where it is longer."""
        with self.open() as file:
            content = file.read(limit + 1)
        return content if len(content) <= limit else None


def open_uploads(path: Path, meter: ReadSoFar | None = None) -> Iterator[Upload]:
    """Yield what is read of a file: itself, or the parts of an archive; `meter` is told how far it is read.

    Raises AgentError where it cannot be a dataset.
    """
    meter = meter or ReadSoFar()
    plain: Callable[[], BinaryIO] = partial(_open_plain, path, meter)
    head, size = _head(plain), path.stat().st_size
    if head.startswith(ZIP) and not _is_workbook(path):
        yield from _archived(plain, size, meter)
    elif head.startswith(GZIP):
        yield _upload(partial(_open_gzip, plain, unpacked_limit(size)), None, meter)
    else:
        yield _upload(plain, path, meter)


def _upload(
    unpack: Callable[[], BinaryIO], path: Path | None, meter: ReadSoFar, *, is_one_text: bool = False
) -> Upload:
    upload = Upload(unpack=unpack, head=_head(unpack), path=path, meter=meter, is_one_text=is_one_text)
    if upload.head.startswith((ZIP, OLE)):
        content = path or upload.read(WHOLE_BYTES)
        source = io.BytesIO(content) if isinstance(content, bytes) else content
        if upload.head.startswith(OLE) or (source is not None and _is_workbook(source)):
            return replace(upload, is_workbook=True)
    if not upload.is_parquet:
        refuse_no_text(upload.head)
    return upload


def _is_workbook(source: Path | io.BytesIO) -> bool:
    """Say whether a zip is a workbook. Raises AgentError for what else an office program saved."""
    try:
        with zipfile.ZipFile(source) as archive:
            names = set(archive.namelist())
            mimetype = b""
            if "mimetype" in names and archive.getinfo("mimetype").file_size <= HEAD_BYTES:
                mimetype = archive.read("mimetype")
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, zlib.error) as error:
        raise broken_archive(_("zip archive"), error) from error
    found = is_workbook(names, mimetype)
    if not found:
        refuse_office(names)
    return found


def _archived(plain: Callable[[], BinaryIO], size: int, meter: ReadSoFar) -> Iterator[Upload]:
    """Yield the members of an archive that are read, one after the other: it is closed behind the last."""
    limit = unpacked_limit(size)
    with plain() as file, _opened(file) as archive:
        chosen = choose_members(archive.infolist())
        if len(chosen.members) > 1 and sum(it.file_size for it in chosen.members) > limit:
            refuse_unpacked(limit)  # one alone is refused while it is read
        names = tuple(it.filename for it in chosen.members)
        if chosen.left or len(names) > 1:
            meter.part = PartRead(read=names, left=tuple(chosen.left))
        for name in names:
            unpack: Callable[[], BinaryIO] = partial(_open_member, archive, name, limit)
            if _head(unpack).startswith(GZIP):  # rows.jsonl.gz in it; deeper is refused as what it is
                unpack = partial(_open_gzip, unpack, limit)
            yield _upload(unpack, None, meter, is_one_text=len(names) > 1 and chosen.are_texts)


def _opened(file: BinaryIO) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise broken_archive(_("zip archive"), error) from error


def _head(unpack: Callable[[], BinaryIO]) -> bytes:
    with unpack() as file:
        return file.read(HEAD_BYTES)


def _open_plain(path: Path, meter: ReadSoFar) -> BinaryIO:
    return io.BufferedReader(_Metered(path, meter), HEAD_BYTES)


def _open_gzip(plain: Callable[[], BinaryIO], limit: int) -> BinaryIO:
    packed = plain()
    return _Bounded(Gunzip(packed), packed, limit=limit)  # type: ignore[return-value]  # read like any other


def _open_member(archive: zipfile.ZipFile, name: str, limit: int) -> BinaryIO:
    try:
        member = archive.open(name)
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise broken_archive(_("zip archive"), error) from error
    return _Bounded(member, limit=limit)  # type: ignore[return-value]  # the same


def unpacked_limit(size: int) -> int:
    """Return how many bytes may come out of so many that are packed."""
    return min(UNPACKED_BYTES, max(SMALL_BYTES, RATIO * size))


def refuse_unpacked(limit: int) -> NoReturn:
    """Say that more came out."""
    raise AgentError(
        _("The file unpacks to more than {limit} MiB. Send fewer rows.", limit=limit >> 20),
        code=ErrorCode.file_too_large,
    )


def broken_archive(what: str, error: Exception) -> AgentError:
    """Say that what is packed cannot be unpacked."""
    return AgentError(
        _("The {what} is broken or cut off ({reason}). Pack it again and send it.", what=what, reason=error),
        code=ErrorCode.dataset_broken,
    )


class _Metered(io.FileIO):
    """A file on disk that tells a meter how far it was read."""

    def __init__(self, path: Path, meter: ReadSoFar) -> None:
        super().__init__(path, "rb")
        self._meter = meter

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]  # all that is ever given
        count = super().readinto(buffer) or 0
        self._meter.at = self.tell()
        return count


class _Bounded(io.RawIOBase):
    """What is unpacked, up to a limit; a broken archive is said in words."""

    def __init__(self, unpacked: IO[bytes] | Gunzip, packed: BinaryIO | None = None, *, limit: int) -> None:
        self._unpacked = unpacked
        self._packed = packed
        self._left = limit
        self._limit = limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]  # all that is ever given
        try:
            data = self._unpacked.read(len(buffer))
        except (EOFError, OSError, zlib.error, zipfile.BadZipFile) as error:
            raise broken_archive(_("archive"), error) from error
        self._left -= len(data)
        if self._left < 0:
            refuse_unpacked(self._limit)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._unpacked.close()
            if self._packed is not None:
                self._packed.close()
        super().close()
