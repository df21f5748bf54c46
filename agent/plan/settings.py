"""Every setting of a run, resolved for one dataset, model and machine, each with its reason. Pure."""

from agent.base_models.card import BaseModelCard, shape_of
from agent.data.findings import Findings
from agent.machine.gpu import Machine
from agent.methods.record import TrainingMethod
from agent.plan.adapter import Adapter, choose_adapter
from agent.plan.defaults import (
    Schedule,
    asked,
    choose_learning_rate,
    choose_warmup,
    plain,
)
from agent.plan.memory import MemoryEstimate
from agent.plan.micro_batch import choose_micro_batch
from agent.plan.precision import choose_precision
from agent.plan.presets import PresetRules
from agent.plan.setup import TrainingSetup
from shared.hyperparameters import Method, ResolvedSettings
from shared.language import _
from shared.plans import Setting


def resolve_settings(
    asked_for: Method,
    method: TrainingMethod,
    rules: PresetRules,
    schedule: Schedule,
    findings: Findings,
    card: BaseModelCard,
    machine: Machine,
    *,
    max_length: tuple[int, str],
    correction: float,
) -> tuple[ResolvedSettings, list[Setting], MemoryEstimate]:
    """Return the settings, why each is what it is, and the memory they take. Raises AgentError when nothing fits.

    `max_length` and the reason for it come from before: how many rows and steps there are depends on it.
    """
    hyperparameters = asked_for.hyperparameters
    rate, rate_reason = choose_learning_rate(hyperparameters, card.parameters, method.rate)
    length, length_reason = max_length
    warmup, warmup_reason = choose_warmup(asked(hyperparameters.warmup_steps), schedule.steps)
    held_in, precision_reasons = choose_precision(hyperparameters)
    adapter = choose_adapter(hyperparameters, method, rules, card)
    longest = min(length, findings.tokens.longest)
    answers = min(1.0, findings.tokens.longest_answer / longest)  # of the tokens of a row
    setup = TrainingSetup(
        device=machine.device,
        rows=1,
        rows_in_memory=method.rows_in_memory,
        length=longest,
        r=adapter.r,
        target_modules=adapter.target_modules,
        load_in_4bit=held_in == "nf4",
        load_in_8bit=held_in == "int8",
        dropout=adapter.lora_dropout > 0,
        adapted_layers=len(adapter.layers_to_transform) if adapter.layers_to_transform else None,
        use_dora=adapter.use_dora,
        moves_base=adapter.moves_base,
        # Rows of like length are computed together, so there may be a batch of nothing but the longest answers.
        attention=shape_of(card).attention,
        trained_share=(1 + answers) / 2 if method.whole_talks else answers,
    )
    beta = asked_for.beta if asked_for.beta is not None else method.beta
    micro = choose_micro_batch(hyperparameters, schedule.batch_size, setup, card, machine, correction=correction)
    weight_decay, decay_reason = _choose_weight_decay(asked(hyperparameters.weight_decay), adapter)
    settings = ResolvedSettings(
        n_epochs=schedule.n_epochs,
        batch_size=schedule.batch_size,
        per_device_train_batch_size=micro.rows,
        gradient_accumulation_steps=schedule.batch_size // micro.rows,
        learning_rate=rate,
        r=adapter.r,
        lora_alpha=adapter.lora_alpha,
        lora_dropout=adapter.lora_dropout,
        target_modules=adapter.target_modules,
        layers_to_transform=adapter.layers_to_transform,
        use_rslora=adapter.use_rslora,
        use_dora=adapter.use_dora,
        init_lora_weights=adapter.init_lora_weights,
        loraplus_lr_ratio=adapter.loraplus_lr_ratio,
        neftune_noise_alpha=adapter.neftune_noise_alpha,
        load_in_4bit=held_in == "nf4",
        load_in_8bit=held_in == "int8",
        max_length=length,
        warmup_steps=warmup,
        lr_scheduler_type=asked(hyperparameters.lr_scheduler_type) or "cosine",
        weight_decay=weight_decay,
        early_stopping_patience=asked(hyperparameters.early_stopping_patience) or rules.patience,
        eval_steps=max(1, round(schedule.steps / rules.evaluations)),
        activation_checkpointing=micro.activation_checkpointing,
        beta=beta,
    )
    yours = _("as you asked")
    reasons = [
        plain("preset", _(rules.name), _(rules.reason)),
        plain("n_epochs", settings.n_epochs, schedule.reason_epochs),
        plain("batch_size", settings.batch_size, schedule.reason_batch),
        plain("learning_rate", settings.learning_rate, rate_reason),
        *adapter.reasons,
        *precision_reasons,
        plain("max_length", length, length_reason),
        plain("warmup_steps", warmup, warmup_reason),
        plain(
            "lr_scheduler_type",
            settings.lr_scheduler_type,
            yours if asked(hyperparameters.lr_scheduler_type) else _("large steps first, small ones to settle"),
        ),
        plain("weight_decay", weight_decay, decay_reason),
        plain(
            "early_stopping_patience",
            settings.early_stopping_patience,
            _("stops after this many checks without progress; the best weights are kept"),
        ),
    ]
    if asked_for.type != "supervised":
        reasons.insert(0, plain("method", _(method.title), _("the method {type}", type=asked_for.type)))
    if beta is not None:
        why = yours if asked_for.beta is not None else _("how far it may move from where it began: less is farther")
        reasons.insert(5, plain("beta", beta, why))
    return settings, reasons, micro.memory


def _choose_weight_decay(requested: float | None, adapter: Adapter) -> tuple[float, str]:
    if requested is not None:
        return requested, _("as you asked")
    if adapter.moves_base:
        return 0.0, _("none: it would pull at the part of the model that the adapter holds")
    return 0.01, _("a light pull against extreme weights")
