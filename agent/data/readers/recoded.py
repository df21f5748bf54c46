"""Streams that mend the writing of a text while it is read: UTF-16 as UTF-8, carriage returns as line feeds."""

import codecs
import io
from typing import BinaryIO

from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.language import _

CHUNK_BYTES = 1 << 16


def from_utf16(raw: BinaryIO) -> BinaryIO:
    """Return a stream of UTF-16 as UTF-8. Raises AgentError, while it is read, where it is none."""
    return _Recoded(raw)  # type: ignore[return-value]  # a RawIOBase, which is read like any other


def with_line_feeds(raw: BinaryIO) -> BinaryIO:
    """Return a stream of text whose lines end with a carriage return alone with line feeds in their place."""
    return _Relined(raw)  # type: ignore[return-value]  # the same


class _Relined(io.RawIOBase):
    """Text whose lines end with a carriage return alone, with line feeds in their place."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]  # all that is ever given
        data = self._raw.read(len(buffer)).replace(b"\r", b"\n")
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
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
            data = self._raw.read(CHUNK_BYTES)
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
