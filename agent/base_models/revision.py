"""Which revision a base model is at, and whether the card that was made of it still is its."""

import hashlib
import json
from functools import lru_cache
from pathlib import Path

from agent.base_models.card import BaseModelCard, read_card
from agent.base_models.catalog import GGUFS, BaseModelSource, SourceKind
from agent.job_folder.durable import file_sha256


def kept_card(source: BaseModelSource) -> BaseModelCard | None:
    """Return the card that was made before, while it still is the model's; a hub's stays at its first commit."""
    card = read_card(source.cache)
    if card is None or card.gguf_problem:  # the next llama.cpp may convert what an older one did not
        return None
    if source.kind is not SourceKind.hub and card.revision != files_revision(source):
        return None
    return card.model_copy(update={"of_gguf": source.kind in GGUFS})  # which cards of before 0.2 do not say


def files_revision(source: BaseModelSource) -> str:
    """Return 40 hex digits that change when any file of a local model does.

    The packaged model's are those of its content, the same on every machine; of others, names, sizes and times, since
    reading tens of gigabytes to look at a dataset would take minutes.
    """
    path = Path(source.location)
    if source.kind is SourceKind.packaged:
        stat = path.stat()
        return _digest(path, stat.st_size, stat.st_mtime_ns)[:40]
    files = [path] if path.is_file() else sorted(p for p in path.iterdir() if p.is_file())
    stamps = [[p.name, p.stat().st_size, p.stat().st_mtime_ns] for p in files]
    return hashlib.sha256(json.dumps(stamps).encode()).hexdigest()[:40]


@lru_cache(maxsize=4)  # a third of a second, and each file that somebody sends asks for it
def _digest(path: Path, _bytes: int, _modified_ns: int) -> str:
    return file_sha256(path)
