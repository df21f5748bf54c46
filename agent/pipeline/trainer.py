"""TRL's trainer with our objectives: the head on trained tokens alone, batches of rows of like length, exact sums.

One trainer for all methods: what TRL's own for pairs and labels add are their losses, which `objectives` has without
full logits, a second model or a copied adapter. Tests hold losses and gradients to those of TRL's trainers.
"""

import math
from typing import Any

import torch
from datasets import Dataset
from peft.optimizers import create_loraplus_optimizer
from transformers import TrainerCallback
from trl import SFTConfig, SFTTrainer

from agent.pipeline.context import Context
from agent.pipeline.dropout import replace_adapter_dropout
from agent.pipeline.examples import Examples, collate
from agent.pipeline.objectives import Objective
from agent.pipeline.sampler import LengthGroupedSampler
from agent.pipeline.token_head import IGNORED, TrainedTokensHead
from shared.hyperparameters import ResolvedSettings


class HearthTrainer(SFTTrainer):  # type: ignore[misc]  # trl is untyped
    """TRL's SFTTrainer on rows that are tokens already, for any objective."""

    optimizer: Any
    real_tokens = 0  # seen in training by this process, padding not counted
    trained_tokens = 0  # those of them in the loss

    def __init__(
        self, *, examples: Examples, objective: Objective, loraplus_lr_ratio: float = 1.0, **arguments: Any
    ) -> None:
        first = examples.rows[0].model_dump(include={"input_ids", "labels"})
        # TRL looks at no other row, and wants them of this type.
        super().__init__(train_dataset=Dataset.from_list([first]), data_collator=collate, **arguments)
        self.train_dataset = examples
        self.objective = objective
        self._loraplus_lr_ratio = loraplus_lr_ratio
        for parameter in self.model.parameters():
            if parameter.requires_grad:  # TRL casts a quantized model's adapter to bf16, where small updates are lost
                parameter.data = parameter.data.float()
        if self.args.use_cpu:
            replace_adapter_dropout(self.model)

    @property
    def all_steps(self) -> int:
        """Return the optimizer steps of the whole training."""
        epochs: float = self.args.num_train_epochs
        return math.ceil(epochs * self.steps_an_epoch)

    @property
    def steps_an_epoch(self) -> int:
        """Return the optimizer steps of one pass over the examples."""
        effective: int = self.args.per_device_train_batch_size * self.args.gradient_accumulation_steps
        return -(-len(self.train_dataset) // effective)

    def create_optimizer(self, model: Any = None) -> Any:
        """Make the optimizer; with LoRA+ (arXiv 2402.12354) the B matrices and DoRA's lengths have a rate of their own.

        The weight decay is that of the settings in both, which peft's function would leave out.
        """
        if self.optimizer is None and self._loraplus_lr_ratio != 1:
            optimizer, arguments = self.get_optimizer_cls_and_kwargs(self.args, self.model)
            self.optimizer = create_loraplus_optimizer(
                self.model,
                optimizer,
                loraplus_lr_ratio=self._loraplus_lr_ratio,
                loraplus_weight_decay=self.args.weight_decay,
                **arguments,
            )
        return super().create_optimizer(model)

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Return the loss of one micro-batch, as its share of the mean over the effective batch."""
        if return_outputs:
            raise NotImplementedError("logits are never built whole, so there are no outputs to return")
        loss = self.objective.loss(TrainedTokensHead(model), inputs)
        self.real_tokens += int(inputs["attention_mask"].sum())
        self.trained_tokens += int((inputs["labels"][:, 1:] != IGNORED).sum())
        return loss.sum / (loss.units if num_items_in_batch is None else num_items_in_batch)

    def _get_num_items_in_batch(self, batch_samples: list[dict[str, torch.Tensor]], device: Any) -> torch.Tensor | None:
        if not batch_samples:
            return None
        return torch.tensor(sum(map(self.objective.units, batch_samples)), device=device)

    def _get_train_sampler(self, train_dataset: Any = None) -> LengthGroupedSampler:
        del train_dataset  # the examples given at the start are the only ones
        effective = self.args.per_device_train_batch_size * self.args.gradient_accumulation_steps
        return LengthGroupedSampler(self.train_dataset.lengths, batch_size=effective, seed=self.args.seed)

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        """Take up the state of a checkpoint, and go on at the rate of today's settings: it may have been lowered."""
        planned = list(self.lr_scheduler.base_lrs) if checkpoint is not None else []
        super()._load_optimizer_and_scheduler(checkpoint)
        if checkpoint is not None:
            self._use_rates(planned)

    def use_rate(self, rate: float) -> None:
        """Go on at another learning rate, as far along its schedule as the training is."""
        factor = rate / self.args.learning_rate
        self.args.learning_rate = rate
        self._use_rates([base * factor for base in self.lr_scheduler.base_lrs])

    def _use_rates(self, rates: list[float]) -> None:
        """Take rates for the groups of the optimizer; LoRA+ has several."""
        scheduler = self.lr_scheduler
        along = [now / (base or 1.0) for now, base in zip(scheduler.get_last_lr(), scheduler.base_lrs, strict=True)]
        scheduler.base_lrs = rates
        scheduler._last_lr = [rate * part for rate, part in zip(rates, along, strict=True)]  # noqa: SLF001 - no setter
        for group, rate, now in zip(self.optimizer.param_groups, rates, scheduler.get_last_lr(), strict=True):
            group["initial_lr"], group["lr"] = rate, now


def make_trainer(context: Context, examples: Examples, objective: Objective, watcher: TrainerCallback) -> HearthTrainer:
    """Build the trainer of a job from its resolved settings."""
    assert context.model is not None
    spec = context.spec
    return HearthTrainer(
        model=context.model.peft,
        args=sft_config(spec.settings, str(context.folder.path / "trainer"), spec.seed, spec.device),
        examples=examples,
        objective=objective,
        loraplus_lr_ratio=spec.settings.loraplus_lr_ratio,
        processing_class=context.model.tokenizer,
        callbacks=[watcher],
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
        neftune_noise_alpha=settings.neftune_noise_alpha or None,
        max_length=settings.max_length,
        seed=seed,
        data_seed=seed,
        optim=settings.optim,
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
