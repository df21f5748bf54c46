"""events.jsonl, which a trainer appends to and the agent reads: complete lines, and whether the last word is there."""

from pathlib import Path

from shared.events import EventRecord, StateData
from shared.jobs import FINISHED


def read_events(path: Path, offset: int) -> tuple[list[EventRecord], int]:
    """Read the complete lines of events.jsonl from byte `offset` on; return them and the next offset.

    A last line without its newline is still being written and is left for the next call.
    """
    try:
        with path.open("rb") as file:
            file.seek(offset)
            block = file.read()
    except FileNotFoundError:
        return [], offset
    complete = block[: block.rfind(b"\n") + 1]
    records = [EventRecord.model_validate_json(line) for line in complete.splitlines() if line.strip()]
    return records, offset + len(complete)


def has_ended(path: Path) -> bool:
    """Say whether events.jsonl holds the word that ends a job."""
    records, _ = read_events(path, 0)
    return any(isinstance(record.data, StateData) and record.data.status in FINISHED for record in records)


def cut_torn_line(path: Path) -> None:
    """Remove a last line that a killed trainer did not finish; nobody has read it."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        content = file.read()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            file.truncate(whole)
