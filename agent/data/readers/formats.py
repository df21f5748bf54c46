"""From an untrusted upload to rows: JSON, JSONL, a table, Parquet, a chat or text, by content and not by name."""

import codecs
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from agent.data.readers.cells import unfold
from agent.data.readers.chat_export import ChatExport
from agent.data.readers.columns import map_columns
from agent.data.readers.containers import HEAD_BYTES, ReadSoFar, Upload, open_uploads
from agent.data.readers.decoding import Decoder
from agent.data.readers.exports.table import row_export, text_export
from agent.data.readers.json_rows import looks_like_json, read_json
from agent.data.readers.orients import keyed_rows
from agent.data.readers.parquet import read_parquet
from agent.data.readers.plain_text import read_pieces
from agent.data.readers.raw_row import RawRow
from agent.data.readers.rendered_rows import read_rendered
from agent.data.readers.rendered_text import looks_rendered, read_rendered_text
from agent.data.readers.tables import even_layout, named_layout, read_table
from agent.data.readers.talks import read_talks
from agent.data.readers.workbook import read_workbook
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.language import _
from shared.mapping import Mapping


def read_rows(path: Path, meter: ReadSoFar | None = None, mapping: Mapping | None = None) -> Iterator[RawRow]:
    """Yield the rows of a dataset, read as `mapping` says; `meter` is told how far.

    Raises AgentError when the whole cannot be read, UnclearError when somebody has to say who speaks in it.
    """
    mapping = mapping.of_rows if mapping is not None else None
    uploads = open_uploads(path, meter)
    first = next(uploads)
    decoder = Decoder(first)
    content, is_export = text_export(first, decoder), True
    if content is None:
        others = (row for upload in uploads for row in _rows(upload, Decoder(upload)))
        content, is_export = row_export(chain(_rows(first, decoder), others), mapping)
    if isinstance(content, ChatExport):
        yield from read_talks(content, mapping)
        return
    rows = content if is_export else keyed_rows(content)
    if mapping is not None:
        yield from map_columns(rows, mapping)
    else:
        yield from rows if is_export else read_rendered(map(unfold, rows))


def _rows(upload: Upload, decoder: Decoder) -> Iterator[RawRow]:
    if not upload.is_text:
        yield from (read_parquet if upload.is_parquet else read_workbook)(upload)
        return
    with upload.open() as file:
        visible = file.read(HEAD_BYTES).removeprefix(codecs.BOM_UTF8).lstrip()
    if not visible:
        raise AgentError(_("The file is empty. Send a dataset with at least ten rows."), code=ErrorCode.dataset_empty)
    if looks_like_json(visible) and not upload.is_one_text:
        yield from read_json(upload, decoder, visible)
    elif (layout := named_layout(upload)) is not None:
        yield from read_table(upload, layout, decoder)
    elif looks_rendered(visible.decode("utf-8", "ignore")):
        yield from read_rendered_text(upload, decoder)
    elif not upload.is_one_text and (layout := even_layout(upload)) is not None:
        yield from read_table(upload, layout, decoder)
    else:
        yield from read_pieces(upload, decoder)
