"""Prints what the tests went through: all in one line, then the files of which much was never run.

`python -m tests.covered` adds up what each worker wrote (`tests.measured`); what ran in processes of its own is not in
it.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import slipcover

from tests.measured import SEEN

LOW_PERCENT = 90.0


def added_up(reports: Iterable[Path]) -> dict[str, Any]:
    """Return the reports of all workers as one, and remove them: the next run must not find them. Raises SystemExit."""
    merged: dict[str, Any] = {}
    for report in reports:
        seen = json.loads(report.read_text(encoding="utf-8"))
        report.unlink()
        if merged:
            slipcover.merge_coverage(merged, seen)
        else:
            merged = seen
    if not merged:
        sys.exit("No worker wrote what it saw: run pytest with `--numprocesses 2 -p tests.measured` first.")
    return merged


def lines(report: dict[str, Any]) -> Iterator[str]:
    """Yield the total, then each file under LOW_PERCENT, the least covered first."""
    total = report["summary"]
    statements = total["covered_lines"] + total["missing_lines"]
    branches = total["covered_branches"] + total["missing_branches"]
    yield (
        f"Covered in this process: {total['percent_covered']:.1f} % of {statements} statements and {branches} branches."
    )
    files = {name: file["summary"]["percent_covered"] for name, file in report["files"].items()}
    for name, percent in sorted(files.items(), key=lambda item: (item[1], item[0])):
        if percent < LOW_PERCENT:
            yield f"  {percent:3.0f} %  {name}"


def main() -> None:
    """Print it."""
    print("\n".join(lines(added_up(sorted(Path().glob(SEEN.format(worker="*")))))))


if __name__ == "__main__":
    main()
