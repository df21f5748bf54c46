"""gzip as it is read, a member after the other; thousands of tiny ones are refused before they cost time."""

import zlib
from typing import BinaryIO

from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.language import _

CHUNK = 1 << 16
MEMBERS = 1000  # so many may be tiny; each costs as much time as a kilobyte of text
TINY = 100  # bytes that a member unpacks to


class Gunzip:
    """What a gzip file unpacks to, read once from its beginning."""

    def __init__(self, packed: BinaryIO) -> None:
        self._packed = packed
        self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self._waiting = b""  # read, not yet unpacked
        self._members, self._bytes = 1, 0

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes, none at the end. Raises AgentError, EOFError, zlib.error."""
        while True:
            if self._inflate.eof and not self._next_member():
                return b""
            self._waiting = self._waiting or self._packed.read(CHUNK)
            if not self._waiting:
                raise EOFError(_("it ends too early"))
            data = self._inflate.decompress(self._waiting, size)
            self._waiting = self._inflate.unconsumed_tail or self._inflate.unused_data
            self._bytes += len(data)
            if data:
                return data

    def _next_member(self) -> bool:
        """Begin the next member, if there is one; zeros may stand between them."""
        while not (waiting := self._waiting.lstrip(b"\x00")):
            self._waiting = self._packed.read(CHUNK)
            if not self._waiting:
                return False
        self._members += 1
        if self._members > MEMBERS and self._bytes < TINY * self._members:
            raise AgentError(
                _("The gzip archive is in more than {count} tiny parts. Pack it again in one piece.", count=MEMBERS),
                code=ErrorCode.dataset_broken,
            )
        self._waiting = waiting
        self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
        return True

    def close(self) -> None:
        """Leave nothing open; the packed file is its opener's."""
