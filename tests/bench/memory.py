"""The memory estimator: against the peak of real steps on this CPU, and against any CSV of measured runs.

Random weights of four small configs, our own loss, torch's profiler. A CSV needs the columns of an architecture
(hidden, inter, layers, heads, kv_heads, vocab, tied), of a setting (method, double_quant, attn, targets, r, batch, seq,
grad_ckpt, loss_path) and peak_alloc_mib; rows that lack one are counted and left out. `role` may leave rows out too.
"""

import csv
import os
import statistics
import warnings
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from agent.base_models.shape import QKV_BIAS, ModelShape
from agent.plan.memory import MemoryEstimate, estimate_memory
from agent.plan.setup import TrainingSetup
from tests.agent.plan.cpu_peak import CONFIGS, measure_peak, shape_of_config, write_model
from tests.bench.figure import Bar, Figure

USUAL = TrainingSetup(device="cpu", rows=2, length=256, trained_share=0.5)
FEW = 0.05  # of the tokens are trained: so few logits that the layers make the peak
SETUPS = (
    USUAL,
    replace(USUAL, trained_share=FEW),
    replace(USUAL, length=512),
    replace(USUAL, rows=8, length=64),
    replace(USUAL, dropout=False),
    replace(USUAL, load_in_4bit=False, r=64),
    replace(USUAL, loss="full"),
    replace(USUAL, activation_checkpointing=True),
    replace(USUAL, activation_checkpointing=True, trained_share=FEW, length=512),
    replace(USUAL, activation_checkpointing=True, loss="full"),
)
WITHIN = Bar(limit=10)
MEAN = Bar(limit=7)


def run(work: Path, data: Path | None) -> Iterator[Figure]:
    """Yield the estimator's error, in per cent of what was measured."""
    if data is not None:
        yield from _against_rows(data)
    _hush()
    for file in sorted(CONFIGS.glob("*.json")):
        folder = work / file.stem
        write_model(file, folder)
        shape = shape_of_config(file)
        for setup in SETUPS:
            measured, estimated = measure_peak(folder, setup).total, estimate_memory(shape, setup).allocated
            yield Figure(
                what=f"memory, {file.stem}, {_described(setup)}: {measured:.0f} MiB, estimate off by",
                ours=abs(estimated / measured - 1) * 100, unit="%", bar=WITHIN,
            )  # fmt: skip


def _hush() -> None:
    """Keep progress bars and the profiler's own words out of the figures."""
    from transformers.utils.logging import disable_progress_bar

    os.environ.setdefault("KINETO_LOG_LEVEL", "99")
    warnings.simplefilter("ignore", FutureWarning)
    disable_progress_bar()


def _described(setup: TrainingSetup) -> str:
    changed = [
        f"{field.name} {value}"
        for field in fields(setup)
        if (value := getattr(setup, field.name)) != getattr(USUAL, field.name)
    ]
    return ", ".join(changed) or "as usual"


def _against_rows(data: Path) -> Iterator[Figure]:
    with data.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row.get("role") != "excluded"]
    usable = [row for row in rows if row.get("hidden") and row.get("peak_alloc_mib")]
    print(f"{data.name}: {len(usable)} of {len(rows)} rows state an architecture and allocated memory", flush=True)
    off: defaultdict[str, list[float]] = defaultdict(list)
    total: list[float] = []
    for row in usable:
        estimate = _estimate(row)
        off[row["model"]].append(estimate.allocated / float(row["peak_alloc_mib"]) - 1)
        if row.get("process_mib"):
            total.append(estimate.total / float(row["process_mib"]) - 1)
    for model, errors in off.items():
        worst = max(errors, key=abs)
        yield Figure(
            what=f"memory, {model}, {len(errors)} rows, worst {worst:+.1%}: mean error",
            ours=statistics.mean(map(abs, errors)) * 100, unit="%", bar=MEAN,
        )  # fmt: skip
    if total:
        yield Figure(
            what=f"memory of the whole process, {len(total)} rows, lowest {min(total):+.1%}: mean error",
            ours=statistics.mean(map(abs, total)) * 100, unit="%",
        )  # fmt: skip


def _estimate(row: dict[str, Any]) -> MemoryEstimate:
    quantized = row["method"] == "qlora"
    family = "qwen2" if "qwen2" in row["model"].lower() else "llama"
    shape = ModelShape(
        model_type=family, hidden_size=int(row["hidden"]), intermediate_size=int(row["inter"]),
        layers=int(row["layers"]), heads=int(row["heads"]), kv_heads=int(row["kv_heads"]),
        head_dim=int(row.get("head_dim") or int(row["hidden"]) // int(row["heads"])), vocab_size=int(row["vocab"]),
        context_length=int(row["seq"]), tied=row["tied"] == "True", qkv_bias=family in QKV_BIAS,
    )  # fmt: skip
    setup = TrainingSetup(
        device="cuda", rows=int(row["batch"]), length=int(row["seq"]), r=int(row["r"]),
        target_modules="all-linear" if row["targets"] in {"all", "all-linear"} else row["targets"].split("+"),
        load_in_4bit=quantized, double_quant=row["double_quant"] == "True", dropout=False,
        activation_checkpointing=row["grad_ckpt"] == "True", attention="eager" if "eager" in row["attn"] else "sdpa",
        loss="full" if "full" in row["loss_path"] else "trained", upcast=quantized and "fp32" in row["loss_path"],
    )  # fmt: skip
    return estimate_memory(shape, setup)
