"""Bytes that claim to be UTF-8, as text and as lines; where they are not, what they are is found out and said."""

import re
from collections.abc import Callable, Iterator
from typing import AnyStr, NoReturn

from charset_normalizer import from_bytes

from agent.data.readers.containers import HEAD_BYTES, Upload
from agent.data.readers.encodings import certain_encoding
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.language import _

MAX_LINE_BYTES = 8 * 1024 * 1024
SAMPLE_BYTES = 1 << 17  # of lines that are not UTF-8, by which their encoding is told
UTF_8 = "utf-8-sig"  # the mark that some programs put before a text is none of it
FEW = 0.1  # of the lines may be left out; of more, somebody has to say how they are meant
_UNDECODED = re.compile("[\udc80-\udcff]")  # a byte that was no UTF-8, as Python keeps it in a text


class Decoder:
    """Bytes of one upload as text.

    Every file is taken for UTF-8 until a line is not. Then the whole of it is looked at once: it is in another
    encoding, and that is certain; or a few of its lines are broken; or it is refused.
    """

    def __init__(self, upload: Upload) -> None:
        self._upload = upload
        self._looked = False
        self.has_undecoded = False  # `whole` kept bytes of broken lines
        self._encoding = UTF_8

    def line(self, data: bytes, number: int | None = None) -> str:
        """Return a line; `number` is which, if that is known.

        Raises UnicodeDecodeError where it alone is broken, AgentError (dataset_not_text) where the whole file is.
        """
        try:
            return data.decode(self._encoding)
        except UnicodeDecodeError as error:
            if self._looked:
                raise
            self._encoding, self._looked = self._look(error, number) or UTF_8, True
            return data.decode(self._encoding)

    def whole(self, data: bytes) -> str:
        """Return a whole file; of broken lines it keeps the bytes, for `undecoded` to find. Raises AgentError."""
        try:
            return self.line(data)
        except UnicodeDecodeError:
            self.has_undecoded = True
            return data.decode(self._encoding, "surrogateescape")

    def cell(self, text: str, number: int) -> str:
        """Return a text that was decoded as `whole` does it, in the file's own encoding. Raises as `line`."""
        if text.isascii() or not _UNDECODED.search(text):
            return text
        return self.line(text.encode("utf-8", "surrogateescape"), number)

    def _look(self, error: UnicodeDecodeError, number: int | None) -> str | None:
        lines = utf8 = broken = 0
        sample = bytearray()
        with self._upload.open() as file:
            while line := file.readline(MAX_LINE_BYTES):
                lines += 1
                if line.isascii():
                    continue
                try:
                    line.decode()
                    utf8 += 1
                except UnicodeDecodeError:
                    broken += 1
                    sample += line[: SAMPLE_BYTES - len(sample)]
        by_chance = utf8 <= FEW * broken  # two letters of another encoding may look like one of UTF-8
        encoding = certain_encoding(bytes(sample)) if by_chance else None
        if encoding is None and broken > max(FEW * lines, utf8):
            _refuse_encoding(error, number, bytes(sample))
        self._upload.meter.encoding = encoding
        return encoding


def not_utf8(error: UnicodeDecodeError) -> str:
    """Say what is wrong with a row that is not UTF-8."""
    return _not_utf8(error.object[error.start])


def undecoded(text: str) -> str | None:
    """Say what is wrong with a row of which a byte was kept that is no UTF-8; None: nothing."""
    found = None if text.isascii() else _UNDECODED.search(text)
    return _not_utf8(ord(found[0]) - 0xDC00) if found else None


def _not_utf8(byte: int) -> str:
    return _("is not UTF-8 text (byte 0x{byte:02x})", byte=byte)


def _refuse_encoding(error: UnicodeDecodeError, line: int | None, sample: bytes) -> NoReturn:
    """Raise AgentError that names the encoding, as far as it can be told."""
    where = _("Line {line}", line=line) if line else _("The file")
    guess = from_bytes(sample[:HEAD_BYTES]).best()
    like = _(", it looks like {encoding}", encoding=guess.encoding.replace("_", "-")) if guess is not None else ""
    raise AgentError(
        _(
            "{where} is not UTF-8 text{like} (byte 0x{byte:02x} at {start}). Save it as UTF-8 and send it again.",
            where=where,
            like=like,
            byte=error.object[error.start],
            start=error.start,
        ),
        code=ErrorCode.dataset_not_text,
    ) from error


def bounded_lines(readline: Callable[[int], AnyStr]) -> Iterator[AnyStr]:
    """Yield a file's lines. Raises AgentError at one that is too long to be a row."""
    number = 0
    while line := readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            raise AgentError(
                _(
                    "Line {number} is longer than {limit} MiB. One row a line; split it up.",
                    number=number,
                    limit=MAX_LINE_BYTES >> 20,
                ),
                code=ErrorCode.dataset_broken,
            )
        yield line
