"""Prints what the tests went through: all in one line, then the files of which much was never run.

`python -m tests.covered [REPORT]` reads the JSON of a run with branches; what ran in processes of its own is not in it.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

REPORT = Path(".venv/coverage.json")
LOW_PERCENT = 90.0


def lines(report: dict[str, Any]) -> Iterator[str]:
    """Yield the total, then each file under LOW_PERCENT, the least covered first."""
    totals = report["totals"]
    yield (
        f"Covered in this process: {totals['percent_covered']:.1f} % of {totals['num_statements']} statements and "
        f"{totals['num_branches']} branches."
    )
    files = {name: file["summary"]["percent_covered"] for name, file in report["files"].items()}
    for name, percent in sorted(files.items(), key=lambda item: (item[1], item[0])):
        if percent < LOW_PERCENT:
            yield f"  {percent:3.0f} %  {name}"


def main() -> None:
    """Print it."""
    report = Path(sys.argv[1]) if len(sys.argv) > 1 else REPORT
    print("\n".join(lines(json.loads(report.read_text(encoding="utf-8")))))


if __name__ == "__main__":
    main()
