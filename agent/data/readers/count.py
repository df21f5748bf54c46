"""Whether a file has more rows than are looked at: counted by lines, in a hundredth of the time that reading takes."""

import csv
import io
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

from agent.data.readers.containers import Upload, open_uploads


def has_more_lines(dataset: Path, limit: int) -> bool:
    """Say whether a JSONL or a table has more rows than `limit`; anything else is not counted here."""
    lines = chain.from_iterable(map(_lines, open_uploads(dataset)))
    return next(islice(lines, limit, None), None) is not None


def _lines(upload: Upload) -> Iterator[object]:
    if not upload.is_text or upload.head.lstrip().startswith(b"["):
        return
    with upload.open() as file:
        text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="")
        is_jsonl = upload.head.lstrip().startswith(b"{")
        yield from filter(str.strip, text) if is_jsonl else filter(None, csv.reader(text))
