"""What an export is to the table of them: how its beginning is recognised, and how the whole is read."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from agent.data.readers.chat_export import ChatExport
from agent.data.readers.containers import Upload
from agent.data.readers.decoding import Decoder
from agent.data.readers.raw_row import RawRow
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.language import _

MAX_WHOLE_BYTES = 256 << 20  # of an export that has to be in memory as a whole
LOOKED_AT = 100  # rows, to recognise an export
Row = dict[str, Any]
Content = ChatExport | Iterator[RawRow]


@dataclass(frozen=True, kw_only=True)
class RowExport:
    """An export that is rows: a JSON array or object, JSONL, or a table."""

    fits: Callable[[list[Row]], bool]  # given the first rows, of which there is at least one
    read: Callable[[Iterator[RawRow]], Content]


@dataclass(frozen=True, kw_only=True)
class TextExport:
    """An export that is text: lines, HTML or XML."""

    fits: Callable[[str], bool]  # given the beginning of the file
    read: Callable[[Upload, Decoder], Content]


def whole_text(upload: Upload, decoder: Decoder) -> str:
    """Return the text of a chat export. Raises AgentError: file_too_large."""
    content = upload.read(MAX_WHOLE_BYTES)
    if content is None:
        raise too_large()
    return decoder.whole(content)


def too_large() -> AgentError:
    """Say that an export has more text than can be put in order."""
    return AgentError(
        _("A chat export may have {limit} MiB, this one has more. Export a shorter time.", limit=MAX_WHOLE_BYTES >> 20),
        code=ErrorCode.file_too_large,
    )


def bounded(rows: Iterator[RawRow]) -> Iterator[RawRow]:
    """Yield rows that are kept in memory all together. Raises AgentError at one too many: file_too_large."""
    chars = 0
    for row in rows:
        chars += sum(len(text) for text in (row.value or {}).values() if isinstance(text, str))
        if chars > MAX_WHOLE_BYTES:
            raise too_large()
        yield row
