"""What a plan says beside its figures: what was found in the data, and what to look out for. Pure."""

from dataclasses import dataclass

from agent.data.findings import Findings
from agent.data.split_sizes import FEW_ROWS
from agent.methods.preferences import ENOUGH_PAIRS
from agent.methods.record import TrainingMethod
from agent.plan.cut_rows import Left
from agent.plan.defaults import Schedule
from shared.hyperparameters import ResolvedSettings
from shared.inspections import DatasetForm, FindingCode
from shared.language import N_, _, apart, grouped, ngettext


def notes_on_rows(findings: Findings, left: Left, max_length: int, context_length: int) -> list[str]:
    """Return what the inspection found, its count of cut answers made anew where the plan cuts elsewhere."""
    notes = list(findings.notes)
    if findings.lengths is None or findings.lengths.max_length != max_length:
        of_another_length = {found.message for found in findings.findings if found.code is FindingCode.answers_cut}
        notes = [note for note in notes if note not in of_another_length]
        notes += _cut(findings, left, max_length, context_length)
    if left.lost:
        notes.append(
            _("About {lost:.0%} of the rows lose their whole answer to max_length and are left out.", lost=left.lost)
        )
    return notes


JUDGED = (DatasetForm.preference, DatasetForm.labelled)


def notes_on_method(method: TrainingMethod, form: DatasetForm, rows: int) -> list[str]:
    """Return what to know of a method before it is chosen."""
    notes = [_(method.advice)] if method.advice else []
    if form in JUDGED and not method.judged:
        notes.append(_("Only the better answers are learned, and what is bad is left out."))
    if method.pairs and FEW_ROWS <= rows < ENOUGH_PAIRS:  # fewer are few for any method, which the inspection says
        notes.append(
            ngettext("{n} pair is few for that: {enough} and more hold better.",
                     "{n} pairs are few for that: {enough} and more hold better.", rows, enough=ENOUGH_PAIRS)
        )  # fmt: skip
    return notes


def notes_on_adapter(settings: ResolvedSettings) -> list[str]:
    """Return what a kind of adapter does not come with."""
    if not settings.use_dora:
        return []
    return [
        _(
            "llama.cpp does not know DoRA, so there will be no adapter file for it. The whole model comes as GGUF as "
            "always, and the adapter for PEFT too."
        )
    ]


def _cut(findings: Findings, left: Left, max_length: int, context_length: int) -> list[str]:
    if not left.cut:
        return []
    note = _(
        "About {cut:.0%} of the answers lose their end at {length} tokens.", cut=left.cut, length=grouped(max_length)
    )
    longest = findings.answer_ends[-1]
    if longest > context_length:
        return [note]
    return [note + " " + _("max_length {longest} would keep them.", longest=longest)]


def notes_on_learning(test: int, schedule: Schedule, *, own_file: bool = False) -> list[str]:
    """Return what speaks against much being learned, or against the verdict on it; `test` counts rows.

    Of held-out rows in a file of their own, that is said with the file.
    """
    notes = []
    if schedule.steps < 40:
        notes.append(
            ngettext(
                "{n} step is little: the model may not take up much. More rows help most.",
                "{n} steps are few: the model may not take up much. More rows help most.",
                schedule.steps,
            )
        )
    if test == 0 and not own_file:
        notes.append(
            _("Below 100 rows the same unseen rows choose the best step and give the verdict: it is optimistic.")
        )
    return notes


@dataclass(frozen=True, kw_only=True)
class RamNeeds:
    """What a run takes of RAM beside the training itself."""

    conversion_mib: float  # of a GGUF, once; 0: nothing to convert
    prepare_mib: float
    export_mib: float


def notes_on_ram(needs: RamNeeds, free_mib: int | None) -> list[str]:
    """Return a warning where the beginning or the end of the run needs more RAM than is free now."""
    conversion = N_(
        "At the beginning, converting the base model takes {needed} GiB of RAM, and {free} are free now. Close other "
        "programs before, or choose it by its Hugging Face id, which needs no conversion."
    )
    begin = N_(
        "At the beginning, preparing the rows takes {needed} GiB of RAM, and {free} are free now. Close other "
        "programs before."
    )
    end = N_(
        "At the end, checking the model takes {needed} GiB of RAM, and {free} are free now. Close other "
        "programs by then."
    )
    notes = []
    for text, needed_mib in (
        (conversion, needs.conversion_mib),
        (begin, needs.prepare_mib),
        (end, needs.export_mib),
    ):
        if free_mib is not None and needed_mib > free_mib:
            needed, free = apart(needed_mib / 1024, free_mib / 1024, 1)
            notes.append(_(text, needed=needed, free=free))
    return notes
