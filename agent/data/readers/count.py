"""Whether a file has more rows than are looked at: counted by lines, in a hundredth of the time that reading takes."""

import csv
import io
from itertools import islice
from pathlib import Path

from agent.data.readers.containers import open_upload


def has_more_lines(dataset: Path, limit: int) -> bool:
    """Say whether a JSONL or a table has more rows than `limit`; anything else is not counted here."""
    upload = open_upload(dataset)
    if upload.is_parquet or upload.head.lstrip().startswith(b"["):
        return False
    with upload.open() as file:
        text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="")
        is_jsonl = upload.head.lstrip().startswith(b"{")
        lines = filter(str.strip, text) if is_jsonl else filter(None, csv.reader(text))
        return next(islice(lines, limit, None), None) is not None
