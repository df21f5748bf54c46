"""A JSONL of 1 GB: the child reads it within 600 MB, says how far it is, and finds what was hidden in it."""

import asyncio
import json
from pathlib import Path

import psutil

from agent.base_models.catalog import PACKAGED
from agent.data.checks.copies import SAMPLE
from agent.intake.inspector import Inspector
from agent.settings import AgentSettings
from shared.inspections import FindingCode, ReadingProgress
from tests.bench.inspection import write_rows
from tests.soak.campaign import Campaign

SIZE = 1_000_000_000
MEMORY_MIB = 600
TEXT = Path("shared/samples/toast.jsonl")
HIDDEN = {"instruction": "Write to whom?", "output": "To mia@example.org, who answers in time."}


def run(campaign: Campaign) -> str:
    """Play it; return what happened."""
    size = SIZE if campaign.minutes is None else int(SIZE * min(1.0, campaign.minutes / 10))
    path = write_rows(campaign.work / "large.jsonl", TEXT.read_text(encoding="utf-8").split(), size=size)
    with path.open("ab") as file:
        file.write(json.dumps(HIDDEN).encode() + b"\n")
    told: list[ReadingProgress] = []
    peaks_mib: list[float] = []

    def tell(progress: ReadingProgress) -> None:
        told.append(progress)
        peaks_mib.extend(child.memory_info().rss / 2**20 for child in psutil.Process().children())
        campaign.note(f"{progress.rows} rows, {100 * progress.bytes // progress.of} %, {peaks_mib[-1]:.0f} MiB")

    inspector = Inspector(AgentSettings(hearth_data_dir=campaign.work))
    _card, findings = asyncio.run(inspector.inspect(dataset=path, model=PACKAGED, report_reading=tell))
    campaign.promise(len(told) > 1, f"it told {len(told)} times how far it was")
    campaign.promise(max(peaks_mib) <= MEMORY_MIB, f"the child had {max(peaks_mib):.0f} MiB")
    campaign.promise(told == sorted(told, key=lambda progress: progress.bytes), "its progress went back")
    personal = [finding.message for finding in findings.findings if finding.code is FindingCode.personal_data]
    campaign.promise("1 × e-mail" in " ".join(personal), f"the one address at the end was not found: {personal}")
    campaign.promise(findings.rows < 2 * SAMPLE or findings.sampled is not None, "every row was tokenized")
    took = f"{campaign.elapsed_s:.0f} s, at most {max(peaks_mib):.0f} MiB, told {len(told)} times"
    return f"{findings.rows} rows of {size >> 20} MiB in {took}"
