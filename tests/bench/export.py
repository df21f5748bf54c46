"""Export: one streaming pass to Q8_0 against merge_and_unload + save_pretrained + convert_hf_to_gguf.

The adapter is the one that training left, or, where none was trained, a fresh one with small random weights: the work
is the same.
"""

from collections.abc import Iterator

from agent.job_folder.folder import ADAPTER_FILE
from tests.bench.figure import Bar, Figure
from tests.bench.job import BenchJob, in_turns, measure

AGAINST = "merge_and_unload + save_pretrained + convert_hf_to_gguf"
HALF = Bar(limit=0.5, of="ratio")


def run(job: BenchJob, rounds: int) -> Iterator[Figure]:
    """Measure the export."""
    if not (job.folder.adapter / ADAPTER_FILE).exists():
        measure(job.folder, "fresh_adapter")
    found = in_turns(job.folder, ("ours_export", "classic_export"), rounds)
    ours, classic = found["ours_export"], found["classic_export"]
    rows = (
        ("export, whole process", "wall_s", "s", HALF),
        ("export, without our own imports", "seconds", "s", HALF),
        ("export, peak memory of the process tree", "peak_mib", "MiB", Bar(limit=450)),
        ("export, bytes written (/proc/self/io, children included)", "written_mib", "MiB", None),
        ("export, disk in use at the end (temporary files included)", "left_mib", "MiB", None),
    )
    for what, key, unit, bar in rows:
        yield Figure(what=what, ours=ours[key], unit=unit, theirs=classic[key], against=AGAINST, bar=bar)
