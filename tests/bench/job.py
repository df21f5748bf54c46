"""One prepared job on the packaged model, and its sides: each measured in a process of its own.

So no memory is shared, and no cache is warm for one side alone.
"""

import asyncio
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from agent.base_models.catalog import PACKAGED
from agent.children.environment import child_environment
from agent.data.split_sizes import split_sizes
from agent.intake.inspector import Inspector
from agent.job_folder.folder import JobFolder
from agent.job_folder.spec import JobSpec
from agent.machine.gpu import MIB, read_machine
from agent.plan.resolve import make_plan
from agent.settings import AgentSettings
from shared.files import FileObject, FilePurpose
from shared.hyperparameters import Body, Hyperparameters, Method
from shared.plans import PlanRequest
from tests.bench.figure import median

SAMPLE = Path("shared/samples/toast.jsonl")
ALTERNATIVES = ("trl_train", "bare_loop", "classic_export")  # the sides that are not ours
LOOK_S = 0.02  # between two looks at a process tree's memory


@dataclass(frozen=True, kw_only=True)
class BenchJob:
    """A job whose weights are fetched and whose rows are tokens."""

    folder: JobFolder
    rows: int  # to train on
    median_tokens: int  # a row


Figures = dict[str, float]


def prepare_job(data: Path, work: Path, *, epochs: float | None) -> BenchJob:
    """Plan a run of the packaged model on `data`, with its weights fetched and its rows in tokens.

    As many epochs as a plan takes, unless told otherwise.
    """
    work.mkdir(parents=True)
    settings = AgentSettings(hearth_data_dir=work)
    card, findings = asyncio.run(Inspector(settings).inspect(dataset=data, model=PACKAGED))
    sha256 = hashlib.sha256(data.read_bytes()).hexdigest()
    file = FileObject(
        id="file-1", bytes=data.stat().st_size, created_at=0, filename=data.name, purpose=FilePurpose.fine_tune,
        sha256=sha256,
    )  # fmt: skip
    machine = read_machine(work)
    method = Method(supervised=Body(hyperparameters=Hyperparameters(n_epochs=epochs or "auto")))
    plan = make_plan(
        PlanRequest(model=PACKAGED, training_file=file.id, method=method), plan_id="ftplan-1", file=file,
        findings=findings, card=card, machine=machine, queue_position=1, queue_wait_minutes=0.0, now=0, measured=[],
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
    job = BenchJob(folder=folder, rows=split_sizes(findings.rows)[0], median_tokens=findings.tokens.median)
    print(f"{data.name}: {job.rows} rows to train on, median {job.median_tokens} tokens; {plan.steps} steps of "
          f"{plan.settings.batch_size} rows on {machine.name}", flush=True)  # fmt: skip
    measure(folder, "prepare")
    return job


def in_turns(folder: JobFolder, sides: tuple[str, ...], rounds: int) -> dict[str, Figures]:
    """Measure the sides in turns; return each one's medians."""
    found: dict[str, list[Figures]] = {side: [] for side in sides}
    for _ in range(rounds):
        for side in sides:
            found[side].append(measure(folder, side))
    return {side: {key: median([run[key] for run in runs]) for key in runs[0]} for side, runs in found.items()}


def measure(folder: JobFolder, side: str) -> Figures:
    """Run one side in a fresh process; return its figures, `wall_s` and `peak_mib` of the process and its children."""
    environment = child_environment(offline=True) | {"OMP_NUM_THREADS": str(os.cpu_count() or 1), "PYTHONSAFEPATH": ""}
    if side in ALTERNATIVES:
        del environment["TORCHDYNAMO_DISABLE"]  # nobody's script sets it
    began = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-m", "tests.bench.side", str(folder.path), side],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, text=True,
    ) as process, _watched(process.pid) as peak:  # fmt: skip
        out, errors = process.communicate()
        wall_s = time.monotonic() - began
    if process.returncode != 0:
        sys.exit(f"{side} failed:\n{errors[-3000:]}")
    figures: Figures = json.loads(out.strip().splitlines()[-1])
    return figures | {"wall_s": wall_s, "peak_mib": max(peak.mib, figures["peak_mib"])}


@dataclass(kw_only=True)
class _Peak:
    """The most that a process and its children had resident at one moment, as far as was seen."""

    mib: float = 0.0
    over: threading.Event = field(default_factory=threading.Event)

    def watch(self, pid: int) -> None:
        process = psutil.Process(pid)
        while not self.over.wait(LOOK_S):
            try:
                tree = [process, *process.children(recursive=True)]
                self.mib = max(self.mib, sum(each.memory_info().rss for each in tree) / MIB)
            except psutil.Error:  # one of them has just ended
                continue


@contextmanager
def _watched(pid: int) -> Iterator[_Peak]:
    peak = _Peak()
    thread = threading.Thread(target=peak.watch, args=(pid,), daemon=True)
    thread.start()
    yield peak
    peak.over.set()
    thread.join()
