"""What a run gives up when its memory is not enough, one rung after the other, the least painful first. Pure.

The order is the seeds' (a smaller micro-batch, checkpointing, NF4, shorter rows, a lower rank, a paged optimizer). Two
of theirs are no rungs: flash attention, since torch's own attention needs as little memory, and offloading weights to
the processor, which bitsandbytes cannot train in 4 bits.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from shared.hyperparameters import ResolvedSettings
from shared.jobs import Stage
from shared.language import _, ngettext

SHORTEST, LOWEST_RANK = 256, 4
SHORTER = 0.75  # of a row's length
MOST_CUT = 0.4  # of the rows
STEP = 64  # tokens that a length is a multiple of


@dataclass(frozen=True, kw_only=True)
class Rung:
    """One thing given up."""

    said: str  # as a person reads it
    settings: dict[str, Any] = field(default_factory=dict)  # of ResolvedSettings, changed
    spec: dict[str, Any] = field(default_factory=dict)  # of the spec beside them
    starts_over: bool = False  # what was trained has another shape, or another base
    reads_again: bool = False  # the rows are cut otherwise


@dataclass(frozen=True, kw_only=True)
class Strait:
    """Where the memory was not enough."""

    stage: Stage
    settings: ResolvedSettings
    device: str  # "cuda" or "cpu"
    evaluation_rows: int | None = None
    exact: bool = True  # what is computed in smaller parts comes to the same loss
    tried_again: bool = False
    trained: bool = False  # there is a checkpoint that starting over would give up
    gently: bool = False  # nothing that starts over
    rows: int = 0  # that are trained on; 0: not known
    longer_than: Callable[[int], int] = lambda _length: 0  # how many of them a length would cut


def next_rung(strait: Strait) -> Rung | None:
    """Return what to give up next; None: there is nothing left."""
    for rung in _LADDERS.get(strait.stage, ()):
        found = rung(strait)
        if found is not None and not (strait.gently and found.starts_over):
            return found
    return None


def _fewer_rows(strait: Strait) -> Rung | None:
    settings = strait.settings
    rows = settings.per_device_train_batch_size
    if rows == 1:
        return None
    fewer = max(n for n in range(1, rows // 2 + 1) if settings.batch_size % n == 0)
    said = ngettext("{n} row at a time in place of {rows}", "{n} rows at a time in place of {rows}", fewer, rows=rows)
    same = (
        _("it learns the same, and takes longer") if strait.exact else _("it learns nearly the same, and takes longer")
    )
    return Rung(
        said=f"{said}; {same}",
        settings={
            "per_device_train_batch_size": fewer,
            "gradient_accumulation_steps": settings.batch_size // fewer,
        },
    )


def _checkpointing(strait: Strait) -> Rung | None:
    if strait.settings.activation_checkpointing:
        return None
    return Rung(
        said=_("what lies between the layers is computed twice and not kept; it learns the same, a third slower"),
        settings={"activation_checkpointing": True},
    )


def _once_more(strait: Strait) -> Rung | None:
    """Try again before anything that was trained is given up: another program may have held the memory for a while."""
    if strait.tried_again or not strait.trained:
        return None
    return Rung(said=_("once more as it was, in case something else held the memory"), spec={"tried_again": True})


def _four_bits(strait: Strait) -> Rung | None:
    if strait.settings.load_in_4bit or strait.settings.moves_base:
        return None
    return Rung(
        said=_(
            "the base model is held in 4 bits (NF4) in place of {bits}", bits=8 if strait.settings.load_in_8bit else 16
        ),
        settings={"load_in_4bit": True, "load_in_8bit": False},
        starts_over=True,
    )


def _shorter_rows(strait: Strait) -> Rung | None:
    length = strait.settings.max_length
    shorter = max(SHORTEST, int(SHORTER * length) // STEP * STEP)
    if shorter >= length:
        return None
    cut = strait.longer_than(shorter)
    if not strait.rows or cut > MOST_CUT * strait.rows:
        return None  # a model that sees no ends learns none
    said = _("rows are cut at {shorter} tokens in place of {length}", shorter=shorter, length=length)
    if cut:
        said += ngettext(", which shortens {n} row", ", which shortens {n} rows", cut)
    return Rung(said=said, settings={"max_length": shorter}, starts_over=True, reads_again=True)


def _lower_rank(strait: Strait) -> Rung | None:
    settings = strait.settings
    lower = settings.r // 2
    if lower < LOWEST_RANK:
        return None
    return Rung(
        said=_("rank {lower} in place of {rank}", lower=lower, rank=settings.r),
        settings={"r": lower, "lora_alpha": max(1, settings.lora_alpha * lower // settings.r)},
        starts_over=True,
    )


def _paged_optimizer(strait: Strait) -> Rung | None:
    if strait.device != "cuda" or strait.settings.optim != "adamw_torch":
        return None
    return Rung(
        said=_("the optimizer keeps its figures in 8 bits, and outside the GPU where need be"),
        settings={"optim": "paged_adamw_8bit"},
        starts_over=True,
    )


def _measured_in_parts(strait: Strait) -> Rung | None:
    rows = strait.evaluation_rows or strait.settings.per_device_train_batch_size
    if rows == 1:
        return None
    return Rung(
        said=ngettext(
            "the result is measured {n} row at a time in place of {rows}",
            "the result is measured {n} rows at a time in place of {rows}",
            rows // 2,
            rows=rows,
        ),
        spec={"evaluation_rows": rows // 2},
    )


_LADDERS: dict[Stage, tuple[Callable[[Strait], Rung | None], ...]] = {
    Stage.load: (_four_bits,),
    Stage.train: (
        _fewer_rows,
        _checkpointing,
        _once_more,
        _four_bits,
        _shorter_rows,
        _lower_rank,
        _paged_optimizer,
    ),
    Stage.evaluate: (_measured_in_parts,),
}
