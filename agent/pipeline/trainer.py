"""TRL's SFTTrainer with the loss on trained tokens alone, batches of rows of like length, and an exact evaluation."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from torch.nn.functional import cross_entropy
from transformers import TrainerCallback
from trl import SFTConfig, SFTTrainer

from agent.pipeline.context import Context
from agent.pipeline.dropout import replace_adapter_dropout
from agent.pipeline.sampler import LengthGroupedSampler
from agent.pipeline.token_rows import TokenRow, TokenRows
from shared.hyperparameters import ResolvedSettings

IGNORED = -100


def collate(rows: list[dict[str, list[int]]]) -> dict[str, torch.Tensor]:
    """Pad rows on the right. Returns input_ids, labels and attention_mask of shape (rows, longest)."""
    width = max(len(row["input_ids"]) for row in rows)

    def padded(key: str, filler: int) -> torch.Tensor:
        return torch.tensor([row[key] + [filler] * (width - len(row[key])) for row in rows])

    mask = [[1] * len(row["input_ids"]) + [0] * (width - len(row["input_ids"])) for row in rows]
    return {
        "input_ids": padded("input_ids", 0),
        "labels": padded("labels", IGNORED),
        "attention_mask": torch.tensor(mask),
    }


def collate_rows(rows: list[TokenRow]) -> dict[str, torch.Tensor]:
    """Pad rows as they are read from disk."""
    return collate([row.model_dump() for row in rows])


class TrainedTokensHead:
    """Lets a model's output head see trained tokens alone: no logits for prompts and padding.

    Works for any model whose head is a module, soft caps and scales after it included, because the choice is made
    at the head's input.
    """

    def __init__(self, model: Any) -> None:
        self._model = model

    def summed_loss(self, inputs: dict[str, Any]) -> tuple[torch.Tensor, int]:
        """Return the summed negative log-likelihood of a batch's trained tokens, in nats, and their number."""
        targets = inputs["labels"][:, 1:]
        chosen = targets != IGNORED
        hook = self._model.get_output_embeddings().register_forward_pre_hook(
            lambda _head, hidden: (hidden[0][:, :-1][chosen], *hidden[1:])
        )
        try:
            logits = self._model(
                input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], use_cache=False
            ).logits
        finally:
            hook.remove()
        return cross_entropy(logits.float(), targets[chosen], reduction="sum"), int(chosen.sum())


def held_out_loss(model: Any, rows: TokenRows, *, batch_size: int, tick: Callable[[], None]) -> float:
    """Return nats per trained token over `rows`: exact, whatever the batches are. The model's mode is the caller's.

    `tick` is called after each batch and may raise.
    """
    head = TrainedTokensHead(model)
    device = next(model.parameters()).device
    ordered = np.argsort(rows.lengths, kind="stable")
    total, tokens = 0.0, 0
    with torch.inference_mode():
        for at in range(0, len(ordered), batch_size):
            batch = collate_rows([rows[int(number)] for number in ordered[at : at + batch_size]])
            loss, count = head.summed_loss({key: value.to(device) for key, value in batch.items()})
            total += float(loss)
            tokens += count
            tick()
    return total / max(tokens, 1)


class TrainedTokensMixin:
    """`compute_loss` for TRL's SFTTrainer: the loss per trained token of the effective batch.

    For supervised training alone: a trainer that compares two answers (DPO, ORPO) needs outputs, and this returns none.
    """

    real_tokens = 0  # seen in training by this process, padding not counted
    trained_tokens = 0  # those of them in the loss

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Return the loss of one micro-batch, in nats per trained token of the effective batch."""
        if return_outputs:
            raise NotImplementedError("logits are never built, so there are no outputs to return")
        loss, count = TrainedTokensHead(model).summed_loss(inputs)
        self.real_tokens += int(inputs["attention_mask"].sum())
        self.trained_tokens += count
        return loss / (count if num_items_in_batch is None else num_items_in_batch)


class HearthSFTTrainer(TrainedTokensMixin, SFTTrainer):  # type: ignore[misc]  # trl is untyped
    """TRL's SFTTrainer on rows that are tokens already."""

    def __init__(self, *, rows: TokenRows, **arguments: Any) -> None:
        first = Dataset.from_list([rows[0].model_dump()])  # TRL looks at no other, and wants them of this type
        super().__init__(train_dataset=first, data_collator=collate_rows, **arguments)
        self.train_dataset = rows
        for parameter in self.model.parameters():
            if parameter.requires_grad:  # TRL casts a quantized model's adapter to bf16, where small updates are lost
                parameter.data = parameter.data.float()
        if self.args.use_cpu:
            replace_adapter_dropout(self.model)

    def _get_train_sampler(self, train_dataset: Any = None) -> LengthGroupedSampler:
        del train_dataset  # the rows given at the start are the only ones
        return LengthGroupedSampler(
            self.train_dataset.lengths, batch_size=self.args.per_device_train_batch_size, seed=self.args.seed
        )


def make_supervised_trainer(context: Context, rows: TokenRows, callbacks: list[TrainerCallback]) -> HearthSFTTrainer:
    """Build the trainer of `agent.methods.supervised` from a job's resolved settings."""
    assert context.model is not None
    spec = context.spec
    return HearthSFTTrainer(
        model=context.model.peft,
        args=sft_config(spec.settings, str(context.folder.path / "trainer"), spec.seed, spec.device),
        rows=rows,
        processing_class=context.model.tokenizer,
        callbacks=callbacks,
    )


def sft_config(settings: ResolvedSettings, output_dir: str, seed: int, device: str) -> SFTConfig:
    """Translate the resolved settings into TRL's names, and switch off its defaults that work against us."""
    return SFTConfig(
        output_dir=output_dir,
        num_train_epochs=settings.n_epochs,
        per_device_train_batch_size=settings.per_device_train_batch_size,
        gradient_accumulation_steps=settings.gradient_accumulation_steps,
        learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.lr_scheduler_type,
        warmup_steps=settings.warmup_steps,
        weight_decay=settings.weight_decay,
        max_length=settings.max_length,
        seed=seed,
        data_seed=seed,
        optim="adamw_torch",
        bf16=device == "cuda" and torch.cuda.is_bf16_supported(),
        fp16=device == "cuda" and not torch.cuda.is_bf16_supported(),
        use_cpu=device == "cpu",
        activation_checkpointing=False,  # switched on with the model, where the plan asks for it
        logging_steps=1,
        logging_nan_inf_filter=False,  # it would show an old loss in place of NaN
        disable_tqdm=True,
        report_to=[],
        save_strategy="no",  # the Trainer's own checkpoints are not atomic; the watcher writes ours
        eval_strategy="no",
        dataloader_num_workers=0,
        dataset_kwargs={"skip_prepare_dataset": True},
        remove_unused_columns=False,
        restore_callback_states_from_checkpoint=False,  # the watcher restores its own
    )
