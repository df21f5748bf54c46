"""The bytes of an untrusted upload, unpacked as they are read: plain, gzip, or the one file in a zip; UTF-8 or UTF-16.

Told by content, never by name. Nothing is written to disk, and what unpacks to too much is refused while it is read.
"""

import codecs
import io
import re
import stat
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, BinaryIO, NoReturn

from agent.data.readers.gunzip import Gunzip
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.language import N_, _

HEAD_BYTES = 1 << 16
UNPACKED_BYTES = 2 << 30  # at most, of anything packed
RATIO = 200  # a packed file may grow so many times, which text does not; small ones may grow as they like
SMALL_BYTES = 16 << 20
MEMBERS = 1000  # of a zip, looked through for its one file
GZIP, ZIP, PARQUET = b"\x1f\x8b", b"PK\x03\x04", b"PAR1"
NO_TEXT = {
    GZIP: N_("a gzip archive"),
    ZIP: N_("a zip archive"),
    b"PK\x05\x06": N_("an empty zip archive"),
    b"BZh": N_("a bzip2 archive"),
    b"7z\xbc\xaf": N_("a 7z archive"),
    b"%PDF": N_("a PDF"),
    b"\xfd7zXZ": N_("an xz archive"),
    b"\x28\xb5\x2f\xfd": N_("a Zstandard archive"),
    b"Rar!": N_("a RAR archive"),
    b"PARE": N_("an encrypted Parquet file"),
    b"ARROW1": N_("an Arrow file"),
    b"FEA1": N_("a Feather file"),
    **{bytes((0x80, protocol)): N_("a pickle") for protocol in range(2, 6)},
    codecs.BOM_UTF32_LE: N_("UTF-32 text"),
    codecs.BOM_UTF32_BE: N_("UTF-32 text"),
    b"GGUF": N_("a GGUF model"),
    b"\x7fELF": N_("a program"),
    b"\x89PNG": N_("a picture"),
    b"\xff\xd8\xff": N_("a picture"),
    b"SQLite format 3": N_("a database"),
}
OFFICE = {  # by a file that each of them holds
    "xl/workbook.xml": N_("The file is an Excel workbook. Save its sheet as CSV (UTF-8) and send that."),
    "xl/workbook.bin": N_("The file is an Excel workbook. Save its sheet as CSV (UTF-8) and send that."),
    "word/document.xml": N_("The file is a Word document. Save it as plain text (UTF-8) and send that."),
    "ppt/presentation.xml": N_("The file is a PowerPoint presentation. Save its text as plain text and send that."),
    "META-INF/manifest.xml": N_(
        "The file is an OpenDocument file, as LibreOffice writes it. Save a table as CSV, or a text as plain text "
        "(UTF-8), and send that."
    ),
}
ABOUT_DATA = re.compile(r"(?:^|/)(?:readme|licen[cs]e|notice)[^/]*$|\.md$", re.IGNORECASE)  # beside it in a zip
TAR, TAR_AT = b"ustar", 257
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(kw_only=True)
class ReadSoFar:
    """How many bytes of a file, as it lies on disk, were read, and what they turned out to be."""

    at: int = 0
    encoding: str | None = None  # that it was converted from


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file as it is read. Every `open` begins anew."""

    unpack: Callable[[], BinaryIO]
    head: bytes  # the first bytes of what is unpacked
    path: Path | None  # None: it lies packed
    meter: ReadSoFar

    @property
    def is_parquet(self) -> bool:
        """Whether it is a table in Parquet's own form rather than text."""
        return self.head.startswith(PARQUET)

    @property
    def head_text(self) -> str:
        """Its first characters, as far as they are UTF-8; whatever is unseen before them is left out."""
        with self.open() as file:
            return file.read(HEAD_BYTES).decode("utf-8-sig", "ignore").lstrip()

    def open(self) -> io.BufferedReader:
        """Return its bytes; text as UTF-8. Raises AgentError while it is read."""
        raw = self.unpack()
        if self.head.startswith(UTF_16):
            raw = _Recoded(raw)  # type: ignore[assignment]  # a RawIOBase, which BufferedReader takes
        return io.BufferedReader(raw)  # type: ignore[arg-type]  # a file on disk is typed BinaryIO, and is one

    def read(self, limit: int) -> bytes | None:
        """Return the whole of it, or None where it is longer."""
        with self.open() as file:
            content = file.read(limit + 1)
        return content if len(content) <= limit else None


def open_upload(path: Path, meter: ReadSoFar | None = None) -> Upload:
    """Look at a file; `meter` is told how far it is read. Raises AgentError where it cannot be a dataset."""
    meter = meter or ReadSoFar()
    plain: Callable[[], BinaryIO] = partial(_open_plain, path, meter)
    head = _head(plain)
    unpack = plain
    if head.startswith(GZIP):
        unpack = partial(_unzip_one, path, plain, _open_gzip)
    elif head.startswith(ZIP):
        unpack = partial(_unzip_one, path, plain, partial(_open_member, _only_member(path)))
        if _head(unpack).startswith(GZIP):  # rows.jsonl.gz in it; deeper is refused as what it is
            unpack = partial(_unzip_one, path, unpack, _open_gzip)
    packed = head.startswith((GZIP, ZIP))
    upload = Upload(unpack=unpack, head=_head(unpack), path=None if packed else path, meter=meter)
    _refuse_what_is_no_text(upload)
    return upload


def _head(unpack: Callable[[], BinaryIO]) -> bytes:
    with unpack() as file:
        return file.read(HEAD_BYTES)


def _refuse_what_is_no_text(upload: Upload) -> None:
    head = upload.head
    for magic, kind in ((TAR, N_("a tar archive")), *NO_TEXT.items()):
        if head.startswith(magic, TAR_AT if magic == TAR else 0):
            raise AgentError(
                _("The file is {kind}, not a dataset. Send the rows as JSONL, JSON, CSV or Parquet.", kind=_(kind)),
                code=ErrorCode.dataset_not_text,
            )
    if b"\x00" in head and not upload.is_parquet and not head.startswith(UTF_16):
        raise AgentError(
            _("The file is not text. Save it as UTF-8 (JSONL, JSON or CSV) and send it again."),
            code=ErrorCode.dataset_not_text,
        )


def _only_member(path: Path) -> str:
    """Return the name of the one file in a zip; what systems add to zips does not count."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise _broken(_("zip archive"), error) from error
    files = [it for it in members[: MEMBERS + 1] if not it.is_dir() and not _is_of_the_system(it.filename)]
    _refuse_office({it.filename for it in files})
    data = [it for it in files if not ABOUT_DATA.search(it.filename)]
    files = data if len(data) == 1 else files
    if len(files) != 1 or len(members) > MEMBERS:
        count = len(members) if len(members) > MEMBERS else len(files)
        shown = ", ".join(it.filename[-40:] for it in files[:4])
        raise AgentError(
            _("The zip archive holds {count} files ({names}). Send one with a single file in it.", count=count,
              names=shown),
            code=ErrorCode.dataset_broken,
        )  # fmt: skip
    if stat.S_IFMT(files[0].external_attr >> 16) not in {0, stat.S_IFREG}:
        raise AgentError(
            _("“{name}” in the zip archive is a link or a device. Pack the file itself.",
              name=files[0].filename[-40:]),
            code=ErrorCode.dataset_broken,
        )  # fmt: skip
    if files[0].flag_bits & 1:
        raise AgentError(_("The zip archive has a password. Send it without one."), code=ErrorCode.dataset_broken)
    return files[0].filename


def _refuse_office(names: set[str]) -> None:
    """Refuse what an office program saved: inside it is a zip of many files, which whoever sends it never saw."""
    for mark, refused in OFFICE.items():
        if mark in names:
            raise AgentError(_(refused), code=ErrorCode.dataset_not_text)


def _is_of_the_system(name: str) -> bool:
    return name.startswith("__MACOSX/") or name.rsplit("/", 1)[-1] in {".DS_Store", "Thumbs.db", "desktop.ini"}


def _open_plain(path: Path, meter: ReadSoFar) -> BinaryIO:
    return io.BufferedReader(_Metered(path, meter), HEAD_BYTES)


def _open_gzip(packed: BinaryIO) -> Gunzip:
    return Gunzip(packed)


def _open_member(name: str, packed: BinaryIO) -> IO[bytes]:
    return zipfile.ZipFile(packed).open(name)


def unpacked_limit(size: int) -> int:
    """Return how many bytes may come out of so many that are packed."""
    return min(UNPACKED_BYTES, max(SMALL_BYTES, RATIO * size))


def refuse_unpacked(limit: int) -> NoReturn:
    """Say that more came out."""
    raise AgentError(
        _("The file unpacks to more than {limit} MiB. Send fewer rows.", limit=limit >> 20),
        code=ErrorCode.file_too_large,
    )


def _unzip_one(path: Path, plain: Callable[[], BinaryIO], unpack: Callable[[BinaryIO], IO[bytes] | Gunzip]) -> BinaryIO:
    packed = plain()
    return _Bounded(unpack(packed), packed, limit=unpacked_limit(path.stat().st_size))  # type: ignore[return-value]  # read like any other


def _broken(what: str, error: Exception) -> AgentError:
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

    def __init__(self, unpacked: IO[bytes] | Gunzip, packed: BinaryIO, *, limit: int) -> None:
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
            raise _broken(_("archive"), error) from error
        self._left -= len(data)
        if self._left < 0:
            refuse_unpacked(self._limit)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._unpacked.close()
            self._packed.close()
        super().close()


class _Recoded(io.RawIOBase):
    """UTF-16 as UTF-8."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._decoder = codecs.getincrementaldecoder("utf-16")()
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]  # all that is ever given
        while not self._rest:
            data = self._raw.read(HEAD_BYTES)
            try:
                self._rest = self._decoder.decode(data, final=not data).encode()
            except UnicodeError as error:
                raise AgentError(
                    _("The file begins as UTF-16 and is not ({reason}). Save it as UTF-8 and send it again.",
                      reason=error),
                    code=ErrorCode.dataset_not_text,
                ) from error  # fmt: skip
            if not data:
                break
        taken, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()
