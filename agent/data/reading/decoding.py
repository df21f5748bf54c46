"""Bytes that claim to be UTF-8, as text and as lines; where they are not, what they look like is said."""

from collections.abc import Callable, Iterator
from typing import AnyStr, NoReturn

from charset_normalizer import from_bytes

from agent.data.reading.containers import HEAD_BYTES
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.language import _

MAX_LINE_BYTES = 8 * 1024 * 1024


def decode(data: bytes, line: int | None = None) -> str:
    """Return the text; `line` is where it stands, if that is known. Raises AgentError: dataset_not_text."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        refuse_encoding(error, line)


def refuse_encoding(error: UnicodeDecodeError, line: int | None = None) -> NoReturn:
    """Raise AgentError that names the encoding, as far as it can be told."""
    where = _("Line {line}", line=line) if line else _("The file")
    guess = from_bytes(error.object[:HEAD_BYTES]).best()
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
