"""The true peak of a training step on a CPU: every allocation of torch, as its profiler reports them.

A model of random weights from a config.json, loaded and trained by our own pipeline's code.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from agent.base_models.shape import ModelShape, read_shape
from agent.methods.table import METHODS
from agent.plan.setup import TrainingSetup
from shared.hyperparameters import ResolvedSettings

CONFIGS = Path(__file__).parent / "configs"
MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Peak:
    """MiB of tensors: those that stay from step to step, and the most that came on top within one."""

    lasting: float
    passing: float

    @property
    def total(self) -> float:
        """Return what the estimator calls `allocated`."""
        return self.lasting + self.passing


def shape_of_config(file: Path) -> ModelShape:
    """Read the shape in a config file."""
    shape = read_shape(json.loads(file.read_text()))
    assert shape is not None
    return shape


def write_model(file: Path, folder: Path) -> None:
    """Write random weights for the config in `file` to `folder`, once."""
    from transformers import CONFIG_MAPPING, AutoModelForCausalLM

    if (folder / "config.json").exists():
        return
    values = json.loads(file.read_text())
    model: Any = AutoModelForCausalLM.from_config(CONFIG_MAPPING[values.pop("model_type")](**values))
    model.save_pretrained(folder)


def measure_peak(folder: Path, setup: TrainingSetup, method: str = "supervised") -> Peak:
    """Train two steps of the model in `folder` and measure the second, when gradients and moments are there."""
    import torch
    from torch.profiler import ProfilerActivity, profile

    from agent.pipeline.dropout import replace_adapter_dropout
    from agent.pipeline.model import load_peft

    peft = load_peft(folder, _settings(setup), device="cpu", seed=0)
    replace_adapter_dropout(peft)
    peft.train()
    trained = [parameter for parameter in peft.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained)
    if method == "supervised":
        inputs, step = _inputs(setup, vocab_size=peft.config.vocab_size), _step
    else:
        inputs, step = _compared(setup, method, vocab_size=peft.config.vocab_size), partial(_compare, method)
    step(peft, inputs, setup)
    optimizer.step()
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        step(peft, inputs, setup)  # onto the gradients of the first, as when they are accumulated
    allocations = sorted(_allocations(profiler.profiler.kineto_results.experimental_event_tree()))
    _time, size, total = allocations[0]
    highest = max(total for _time, _size, total in allocations) - (total - size)
    return Peak(lasting=_lasting(peft, optimizer) / MIB, passing=highest / MIB)


def _allocations(events: Iterable[Any]) -> Iterator[tuple[int, int, int]]:
    """Yield when each allocation was, its bytes, and what was allocated then by the allocator's own count.

    That count needs no order, which times of two processors do not give exactly.
    """
    for event in events:
        if type(event.extra_fields).__name__ == "_ExtraFields_Allocation":
            yield event.start_time_ns, event.extra_fields.alloc_size, event.extra_fields.total_allocated
        yield from _allocations(event.children)


def _settings(setup: TrainingSetup) -> ResolvedSettings:
    return ResolvedSettings(
        n_epochs=1, batch_size=setup.rows, per_device_train_batch_size=setup.rows, gradient_accumulation_steps=1,
        learning_rate=1e-4, r=setup.r, lora_alpha=2 * setup.r, lora_dropout=0.1 if setup.dropout else 0.0,
        target_modules=setup.target_modules, load_in_4bit=setup.load_in_4bit, max_length=setup.length, warmup_steps=0,
        lr_scheduler_type="constant", weight_decay=0, early_stopping_patience=1, eval_steps=1,
        activation_checkpointing=setup.activation_checkpointing, use_dora=setup.use_dora,
        load_in_8bit=setup.load_in_8bit,
    )  # fmt: skip


def _inputs(setup: TrainingSetup, *, vocab_size: int) -> dict[str, Any]:
    """Return random rows, one of them a token shorter, as in any real batch."""
    import torch

    ids = torch.randint(1, vocab_size, (setup.rows, setup.length))
    mask = torch.ones_like(ids)
    mask[1:, -1] = 0
    labels = ids.masked_fill(mask == 0, -100)
    labels[:, : round(setup.length * (1 - setup.trained_share))] = -100
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def _step(peft: Any, inputs: dict[str, Any], setup: TrainingSetup) -> None:
    from agent.pipeline.token_head import TrainedTokensHead

    if setup.loss == "trained":
        loss, count = TrainedTokensHead(peft).summed_loss(inputs)
        (loss / count).backward()  # type: ignore[no-untyped-call]
    else:
        output = peft(**inputs, use_cache=False)  # held until after the backward pass, as a loop by hand does
        output.loss.backward()


def _compared(setup: TrainingSetup, method: str, *, vocab_size: int) -> dict[str, Any]:
    """Return examples of a method that weighs answers, the second half of each row an answer."""
    import torch

    from agent.pipeline.examples import Example, collate
    from agent.pipeline.token_rows import TokenRow

    def row() -> TokenRow:
        ids = torch.randint(1, vocab_size, (setup.length,)).tolist()
        return TokenRow(input_ids=ids, labels=[-100] * (setup.length // 2) + ids[setup.length // 2 :])

    rows = METHODS[method].rows_at_once
    examples = [Example(rows=tuple(row() for _ in range(rows)), reference=(0.0,) * rows) for _ in range(setup.rows)]
    return collate(examples)


def _compare(method: str, peft: Any, inputs: dict[str, Any], setup: TrainingSetup) -> None:
    from agent.pipeline.objectives import make_objective
    from agent.pipeline.token_head import TrainedTokensHead

    del setup
    loss = make_objective(method, beta=0.1).loss(TrainedTokensHead(peft), inputs)
    (loss.sum / loss.units).backward()  # type: ignore[no-untyped-call]


def _lasting(peft: Any, optimizer: Any) -> int:
    import torch

    tensors = [*peft.parameters(), *peft.buffers(), *(p.grad for p in peft.parameters() if p.grad is not None)]
    tensors += [value for state in optimizer.state.values() for value in state.values() if torch.is_tensor(value)]
    for state in [p.quant_state for p in peft.parameters() if getattr(p, "quant_state", None) is not None]:
        tensors += [state.absmax, state.code, state.state2.absmax, state.state2.code]
    storages = {tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in tensors}
    return sum(storages.values())
