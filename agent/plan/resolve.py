"""Make the plan: settings with reasons, steps, minutes, memory, disk; refuse what cannot fit. Pure."""

import re
from dataclasses import asdict
from pathlib import Path

from agent.base_models.card import BaseModelCard, shape_of, weights_present
from agent.base_models.conversion import estimate_conversion_mib
from agent.data.findings import Findings, ValidationRows
from agent.data.split_sizes import MIN_ROWS
from agent.errors import AgentError
from agent.machine.gpu import Machine
from agent.methods.table import method_for, methods_of
from agent.plan.calibration import memory_correction
from agent.plan.cut_rows import Left, left_at, planned_length
from agent.plan.defaults import asked, choose_schedule
from agent.plan.duration import MeasuredRun, estimate_minutes, slower_by
from agent.plan.held_out import parts_of
from agent.plan.memory import RUN_MARGIN, estimate_disk_mib, estimate_export_mib, estimate_prepare_mib
from agent.plan.notes import RamNeeds, notes_on_adapter, notes_on_learning, notes_on_method, notes_on_ram, notes_on_rows
from agent.plan.presets import RULES
from agent.plan.settings import resolve_settings
from shared.errors import ErrorCode
from shared.files import FileObject
from shared.language import _, apart, ngettext
from shared.plans import MemoryParts, MethodChoice, Plan, PlanRequest, Range

__all__ = ["MeasuredRun", "make_plan", "model_name"]

PLAN_KEPT_S = 7 * 24 * 3600
MEMORY_SPREAD = (0.8, RUN_MARGIN)  # so that what is said to fit is never shown to need more than is free
MOST = 0.5
MIN_FREE_DISK_MIB = 512  # left free after the run


def make_plan(
    request: PlanRequest,
    *,
    plan_id: str,
    file: FileObject,
    findings: Findings,
    card: BaseModelCard,
    machine: Machine,
    queue_position: int,
    queue_wait_minutes: float,
    now: int,
    measured: list[MeasuredRun],
    validation: ValidationRows | None = None,
) -> Plan:
    """Resolve a request for one file, or two, and for a model and a machine. Raises AgentError when it cannot fit."""
    method = method_for(request.method.type, findings.form)
    hyperparameters = request.method.hyperparameters
    rules = RULES[request.preset].for_at_most(method.most_epochs)
    rows = findings.judged if method.judged else findings.rows
    _check_enough_judged(rows)
    max_length = planned_length(asked(hyperparameters.max_length), findings, card, rules)
    left = left_at(findings, max_length[0])
    _check_long_enough(left, max_length[0], planned_length(None, findings, card, rules)[0])
    _check_enough_left(findings, left, max_length[0])
    parts = parts_of(rows, left, validation, max_length[0], method)
    schedule = choose_schedule(parts.train, asked(hyperparameters.batch_size), asked(hyperparameters.n_epochs), rules)
    correction = memory_correction(shape_of(card), machine.name, measured)
    settings, reasons, memory = resolve_settings(
        request.method, method, rules, schedule, findings, card, machine, max_length=max_length, correction=correction
    )
    of_each = left.tokens * (1 + findings.worse_share) if method.pairs else left.tokens * method.rows_at_once
    tokens = of_each * (left.rows * rows + parts.held_out)
    disk_mib = estimate_disk_mib(
        card,
        r=settings.r,
        fetched=weights_present(card),
        tokens=tokens,
        use_dora=settings.use_dora,
        moves_base=settings.moves_base,
    )
    _check_disk(card, machine, disk_mib)
    ram = RamNeeds(
        conversion_mib=estimate_conversion_mib(card),
        prepare_mib=estimate_prepare_mib(rows + (validation.findings.rows if validation is not None else 0)),
        export_mib=estimate_export_mib(card),
    )
    evaluations = schedule.steps // settings.eval_steps + 3  # and the verdict on base and tuned model
    return Plan(
        id=plan_id,
        created_at=now,
        expires_at=now + PLAN_KEPT_S,
        model=request.model,
        model_revision=card.revision,
        training_file=file.id,
        file_sha256=file.sha256,
        validation_file=validation.file.id if validation is not None else None,
        validation_sha256=validation.file.sha256 if validation is not None else None,
        mapping=request.mapping,
        suffix=request.suffix or model_name(file.filename),
        seed=request.seed,
        method=request.method,
        methods=[MethodChoice(type=it.type, title=_(it.title)) for it in methods_of(findings.form)],
        preset=request.preset,
        settings=settings,
        reasons=reasons,
        train_rows=parts.train,
        validation_rows=parts.validation,
        test_rows=parts.test,
        steps=schedule.steps,
        trained_tokens=round(left.trained * (of_each / left.tokens) * parts.train * schedule.n_epochs),
        minutes=estimate_minutes(
            parameters=card.parameters,
            layers=card.layers,
            tokens=of_each * parts.train * schedule.n_epochs,
            evaluated_tokens=of_each
            * (parts.validation * parts.length * evaluations + bool(method.passes_without_gradients) * rows),
            batches=parts.train * schedule.n_epochs / settings.per_device_train_batch_size,
            evaluated_batches=parts.validation * evaluations / settings.per_device_train_batch_size,
            device=machine.device,
            device_name=machine.name,
            cores=machine.cores,
            measured=measured,
            slower=slower_by(settings),
        ),
        memory_mib=_spread(memory.total),
        memory=MemoryParts.model_validate(asdict(memory)),
        memory_kind=machine.memory_kind,
        memory_free_mib=machine.memory_free_mib,
        conversion_memory_mib=round(ram.conversion_mib) or None,
        prepare_memory_mib=round(ram.prepare_mib),
        export_memory_mib=round(ram.export_mib),
        disk_mib=Range(low=round(0.9 * disk_mib), high=round(1.2 * disk_mib)),
        disk_free_mib=machine.disk_free_mib,
        device=machine.name,
        queue_position=queue_position,
        queue_wait_minutes=queue_wait_minutes,
        notes=[
            *notes_on_method(method, findings.form, rows),
            *notes_on_rows(findings, left, settings.max_length, card.context_length),
            *parts.notes,
            *notes_on_adapter(settings),
            *notes_on_learning(parts.test, schedule, own_file=validation is not None),
            *notes_on_ram(ram, machine.ram_free_mib),
        ],
    )


def model_name(filename: str) -> str:
    """Make a model's name of a file's: lower case, digits and hyphens, at most 40 characters."""
    slug = re.sub(r"[^a-z0-9]+", "-", Path(filename).stem.lower()).strip("-")[:40].strip("-")
    return slug or "my-model"


def _spread(mib: float) -> Range:
    low, high = MEMORY_SPREAD
    return Range(low=round(low * mib), high=round(high * mib))


def _check_disk(card: BaseModelCard, machine: Machine, disk_mib: float) -> None:
    needed_mib = disk_mib + MIN_FREE_DISK_MIB
    if needed_mib > machine.disk_free_mib:
        needed, free = apart(needed_mib / 1024, machine.disk_free_mib / 1024, 1)
        raise AgentError(
            _(
                "A run with {name} needs about {needed} GiB of disk; {free} GiB are free in "
                "the data folder. Free some space or choose a smaller model.",
                name=card.name,
                needed=needed,
                free=free,
            ),
            code=ErrorCode.insufficient_disk,
        )


def _check_enough_judged(rows: int) -> None:
    """Raise AgentError if there are too few to hold some out."""
    if rows < MIN_ROWS:
        raise AgentError(
            ngettext(
                "Only {n} row says which answer is better or good; at least {min_rows} are needed. Learn the answers "
                "alone instead, with method:supervised.",
                "Only {n} rows say which answer is better or good; at least {min_rows} are needed. Learn the answers "
                "alone instead, with method:supervised.",
                rows,
                min_rows=MIN_ROWS,
            ),
            code=ErrorCode.dataset_too_small,
            param="method",
        )


def _check_long_enough(left: Left, max_length: int, automatic: int) -> None:
    """Raise AgentError if most rows lose their whole answer, and a longer max_length would help."""
    if left.lost > MOST and max_length < automatic:
        raise AgentError(
            _(
                "With max_length {max_length} the answers of {lost:.0%} of the rows are cut away whole. "
                "Choose at least {length}, or “auto”.",
                max_length=max_length,
                lost=left.lost,
                length=automatic,
            ),
            code=ErrorCode.setting_invalid,
            param="max_length",
        )


def _check_enough_left(findings: Findings, left: Left, max_length: int) -> None:
    """Raise AgentError if too few rows keep an answer to learn anything from."""
    if left.lost and round(left.rows * findings.rows) < MIN_ROWS:
        raise AgentError(
            ngettext(
                "At {max_length} tokens only {n} row keeps anything of its answer; at least {min_rows} are needed. "
                "Shorten the questions.",
                "At {max_length} tokens only {n} rows keep anything of their answers; at least {min_rows} are needed. "
                "Shorten the questions.",
                round(left.rows * findings.rows),
                max_length=max_length,
                min_rows=MIN_ROWS,
            ),
            code=ErrorCode.dataset_too_small,
        )
