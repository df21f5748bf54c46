"""`make bench [DATA=file]`: training and export against what one would do by hand, interleaved, medians of three.

Training: real tokens a second and peak memory of our train stage against a plain TRL script with the same model,
settings and rows. Export: time and peak memory against merge_and_unload + save_pretrained + convert_hf_to_gguf.
Each measurement is a process of its own, so that no memory is shared and no cache is warm for one side alone.
"""

import argparse
import asyncio
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from agent.base_models.catalog import PACKAGED
from agent.child_environment import child_environment
from agent.data.split import split_sizes
from agent.gpu import read_machine
from agent.inspector import Inspector
from agent.job_folder import JobFolder, JobSpec
from agent.plan.resolve import make_plan
from agent.settings import AgentSettings
from shared.files import FileObject, FilePurpose
from shared.plans import PlanRequest

ROUNDS = 3
SAMPLE = Path("shared/samples/toast.jsonl")


def main() -> None:
    """Prepare one job, then measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=SAMPLE)
    with tempfile.TemporaryDirectory(prefix="hearth-bench-") as work:
        folder = prepare_job(parser.parse_args().data.absolute(), Path(work))
        compare("training, tokens/s", folder, ("ours_train", "trl_train"), "tokens_per_s")
        compare("export, seconds", folder, ("ours_export", "classic_export"), "seconds")


def prepare_job(data: Path, work: Path) -> JobFolder:
    """Plan a run of the packaged model on `data`, with its weights fetched and its rows in tokens."""
    settings = AgentSettings(hearth_data_dir=work)
    card, findings = asyncio.run(Inspector(settings).inspect(dataset=data, model=PACKAGED))
    sha256 = hashlib.sha256(data.read_bytes()).hexdigest()
    file = FileObject(
        id="file-1", bytes=data.stat().st_size, created_at=0, filename=data.name, purpose=FilePurpose.fine_tune,
        sha256=sha256,
    )  # fmt: skip
    machine = read_machine(work)
    plan = make_plan(
        PlanRequest(model=PACKAGED, training_file=file.id), plan_id="ftplan-1", file=file, findings=findings, card=card,
        machine=machine, queue_position=1, queue_wait_minutes=0.0, now=0, measured=[],
    )  # fmt: skip
    folder = JobFolder(path=work / "job")
    folder.create(
        JobSpec(
            job_id="ftjob-1", number=1, name="bench", ollama_name="bench:v1", base_model=PACKAGED,
            base_model_cache=str(settings.base_models_dir / f"packaged--{PACKAGED}"), base_model_revision=card.revision,
            dataset_path=str(data), dataset_sha256=sha256, form=findings.form, settings=plan.settings, seed=42,
            total_steps=plan.steps, threads=machine.cores, device=machine.device,
        )
    )  # fmt: skip
    say(f"{data.name}: {split_sizes(findings.rows)[0]} rows to train on, median {findings.tokens.median} tokens; "
        f"{plan.steps} steps of {plan.settings.batch_size} rows on {machine.name}")  # fmt: skip
    measure(folder, "prepare")
    return folder


def compare(what: str, folder: JobFolder, sides: tuple[str, str], figure: str) -> None:
    """Measure two sides in turns and print the medians and their ratios."""
    found: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
    for _ in range(ROUNDS):
        for side in sides:
            found[side].append(measure(folder, side))
    median = {
        side: {key: statistics.median(run[key] for run in runs) for key in runs[0]} for side, runs in found.items()
    }
    ours, theirs = (median[side] for side in sides)
    ratio = ours[figure] / theirs[figure]
    say(f"{what}: {sides[0]} {ours[figure]:.1f}, {sides[1]} {theirs[figure]:.1f}: {ratio:.2f} times")
    memory = ours["peak_mib"] / theirs["peak_mib"]
    say(f"  peak memory: {ours['peak_mib']:.0f} MiB, {theirs['peak_mib']:.0f} MiB: {memory:.2f} times")
    if "held_out_loss" in ours:
        say(f"  held-out loss: {ours['held_out_loss']:.4f}, {theirs['held_out_loss']:.4f}")


def measure(folder: JobFolder, side: str) -> dict[str, float]:
    """Run one side in a fresh process and return its figures."""
    environment = child_environment(offline=True) | {"OMP_NUM_THREADS": str(os.cpu_count() or 1), "PYTHONSAFEPATH": ""}
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.side", str(folder.path), side],
        capture_output=True, env=environment, check=False, text=True,
    )  # fmt: skip
    if done.returncode != 0:
        sys.exit(f"{side} failed:\n{done.stderr[-3000:]}")
    figures: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return figures


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)


if __name__ == "__main__":
    main()
