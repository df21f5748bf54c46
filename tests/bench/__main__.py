"""`make bench [DATA=file]`: everything; `python -m tests.bench SUBJECT…`: training, export, service, chats,
store, inspection, memory. For memory DATA is a CSV of measured runs; any other is not for it.

Ratios in one run, the sides in turns, medians of `--rounds`; beside each figure the bar of the design. A missed bar is
said and does not fail the run: a loaded machine is no bug.
"""

import argparse
import os
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path

from tests.bench import chats, export, inspection, memory, service, store, training
from tests.bench.figure import Figure
from tests.bench.job import SAMPLE, prepare_job

SUBJECTS = ("training", "export", "service", "chats", "store", "inspection", "memory")


def main() -> None:
    """Measure what was asked for, and print each figure as it comes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("subjects", nargs="*", metavar="SUBJECT", help=f"of {', '.join(SUBJECTS)}; none: all")
    parser.add_argument("--rounds", type=int, default=5, help="of which the medians are taken")
    parser.add_argument("--data", type=Path, default=SAMPLE, help="what to train on")
    parser.add_argument("--epochs", type=_positive, help="of a training; fewer are quicker, and as fast by the token")
    asked = parser.parse_args()
    unknown = [subject for subject in asked.subjects if subject not in SUBJECTS]
    if unknown:
        parser.error(f"{unknown[0]!r} is no subject; there are {', '.join(SUBJECTS)}")
    if hasattr(os, "getloadavg"):
        print(
            f"Load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; medians of {asked.rounds}.", flush=True
        )
    missed = []
    for figure in figures(
        asked.subjects or SUBJECTS, rounds=asked.rounds, data=asked.data.absolute(), epochs=asked.epochs
    ):
        print(figure.line(), flush=True)
        if figure.is_missed:
            missed.append(figure.what)
    print(f"Missed: {'; '.join(missed)}." if missed else "Every bar is met.")


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number <= 50:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 50")
    return number


def figures(subjects: Collection[str], *, rounds: int, data: Path, epochs: float | None) -> Iterator[Figure]:
    """Yield the figures of each subject, in the order of SUBJECTS."""
    with tempfile.TemporaryDirectory(prefix="hearth-bench-") as folder:
        work = Path(folder)
        if "training" in subjects or "export" in subjects:
            job = prepare_job(data, work / "training", epochs=epochs)
            if "training" in subjects:
                yield from training.run(job, rounds)
            if "export" in subjects:
                yield from export.run(job, rounds)
        if "service" in subjects:
            yield from service.run(work / "service", rounds)
        if "chats" in subjects:
            yield from chats.run(work / "chats", rounds)
        if "store" in subjects:
            yield from store.run(work / "store", rounds)
        if "inspection" in subjects:
            yield from inspection.run(work / "inspection", rounds, data)
        if "memory" in subjects:  # last: it takes gigabytes of this process, and a child begins with its parent's peak
            yield from memory.run(work / "memory", data if data.suffix == ".csv" else None)


if __name__ == "__main__":
    main()
