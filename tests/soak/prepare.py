"""A JSONL of 1 GB: its rows become tokens, and are passed over once, within 1 GiB resident.

`python -m tests.soak.prepare JOB_FOLDER` is what is measured: a trainer as far as that stage, without torch.
"""

import asyncio
import sys
from pathlib import Path

from agent.base_models.catalog import PACKAGED
from agent.intake.inspector import Inspector
from agent.job_folder.folder import JobFolder
from agent.pipeline.token_rows import PARTS, read_rows
from agent.settings import AgentSettings
from shared.inspections import DatasetForm
from tests.agent.pipeline.preparing import new_job, prepare_rows
from tests.bench.inspection import measure, write_rows
from tests.soak.campaign import Campaign

SIZE = 1_000_000_000
MEMORY_MIB = 1024
TEXT = Path("shared/samples/toast.jsonl")


def run(campaign: Campaign) -> str:
    """Play it; return what happened."""
    size = SIZE if campaign.minutes is None else int(SIZE * min(1.0, campaign.minutes / 20))
    path = write_rows(campaign.work / "large.jsonl", TEXT.read_text(encoding="utf-8").split(), size=size)
    with path.open("rb") as file:
        count = sum(1 for _ in file)
    card = asyncio.run(Inspector(AgentSettings(hearth_data_dir=campaign.work)).describe(PACKAGED))
    folder = new_job(campaign.work, path, card, DatasetForm.alpaca, max_length=512)
    seconds, peak_mib = measure([sys.executable, "-m", "tests.soak.prepare", str(folder.path)], "")
    campaign.promise(peak_mib <= MEMORY_MIB, f"the trainer had {peak_mib:.0f} MiB")
    parts = {part: len(read_rows(folder, part)) for part in PARTS}
    campaign.promise(sum(parts.values()) == count, f"of {count} rows there are {parts}")
    written_mib = (folder.path / "rows" / "tokens.arrow").stat().st_size >> 20
    return f"{count} rows of {size >> 20} MiB in {seconds:.0f} s, at most {peak_mib:.0f} MiB, {written_mib} on disk"


def main() -> None:
    """Prepare the job, and read each of its rows once."""
    folder = JobFolder(path=Path(sys.argv[1]))
    prepare_rows(folder)
    rows = read_rows(folder, "train")
    tokens = sum(len(row.input_ids) for row in rows)
    if tokens != rows.lengths.sum():
        sys.exit(f"{tokens} tokens were read, {rows.lengths.sum()} written")


if __name__ == "__main__":
    main()
