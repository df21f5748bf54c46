"""All figures of a job, one tap behind its card: where a run stands, or what came out and why. Pure."""

from bot.cards.job import NAME_LENGTH, details_line, folder, titled
from bot.cards.result import ANSWERS, FILES, advised, before_and_after
from bot.cards.snapshot import Snapshot
from bot.cards.vital_signs import attempt
from bot.core.blocks import Block, Fields, Items, Note, Words
from bot.core.reply import Button, Image, Reply, Weight
from bot.words.format import (
    clip,
    clock_second,
    clock_time,
    count,
    duration,
    mebibytes,
    number,
    one_line,
    percent,
    short,
)
from shared.jobs import Job, JobStatus, Progress, Stage
from shared.language import _
from shared.results import JobResult

AGAIN = "again"  # as one word more: in the same message
SLOWER, SAVE = "slower", "save"  # in place of `details`: ask a training for it


def details_card(snapshot: Snapshot, plot: Image | None, *, with_answers: bool, now: float) -> Reply:
    """Return what the card of a job leaves out. `with_answers`: show what the models said, which may quote the data."""
    job = snapshot.job
    if job.result is not None:
        blocks, buttons = _of_result(job, job.result, with_answers=with_answers), _of_finished(job, shown=with_answers)
    else:
        blocks = [*([_of_run(job.progress)] if job.progress is not None else []), _of_time(job, now=now)]
        blocks += [advised(item) for item in snapshot.advice]
        again = Button(label=_("Look again"), line=f"{details_line(job)} {AGAIN}")
        log = Button(label=_("Log"), line=f"/log #{job.number}")
        buttons = _of_finished(job, shown=True) if snapshot.finished else (again, log, *_of_training(job))
    name = clip(one_line(job.suffix), NAME_LENGTH)
    return Reply(
        title=_("Details · {name}", name=name) if job.result is not None else titled(job),
        blocks=tuple(blocks),
        image=plot,
        folder=folder(job),
        again=f"/plot #{job.number}",
        buttons=buttons,
    )


def _of_finished(job: Job, *, shown: bool) -> tuple[Button, ...]:
    answers = Button(label=_("Show answers"), line=f"/status #{job.number} {ANSWERS}")
    files = (
        Button(label=_("Files"), line=f"/status #{job.number} {FILES}"),
        Button(label=_("Delete files"), line=f"/delete #{job.number}", weight=Weight.danger),
    )
    return (
        *([answers] if job.result is not None and job.result.answers and not shown else []),
        Button(label=_("Train again"), line=f"/retry #{job.number}"),
        Button(label=_("Log"), line=f"/log #{job.number}"),
        *(files if job.result_files else ()),
    )


def _of_training(job: Job) -> tuple[Button, ...]:
    if job.status is not JobStatus.running or job.stage is not Stage.train:
        return ()
    return (
        Button(label=_("Half the rate"), line=f"/status #{job.number} {SLOWER}"),
        Button(label=_("Save now"), line=f"/status #{job.number} {SAVE}"),
    )


def _of_run(progress: Progress) -> Fields:
    temperature = f"{progress.temperature_c} °C" if progress.temperature_c is not None else ""
    best = number(progress.best_loss) if progress.best_loss is not None else ""
    return Fields(
        fields=(
            (_("Step"), _("{step} of {steps}", step=count(progress.step), steps=count(progress.total_steps))),
            (_("Epoch"), _("{n} of {of}", n=number(progress.epoch, 1), of=short(progress.n_epochs))),
            (_("Loss"), number(progress.loss)),
            (_("On held-out rows"), number(progress.validation_loss)),
            (_("Of them right"), _right(progress.validation_accuracy)),
            (_("Best so far"), best),
            (_("Speed"), _("{n} tokens/s", n=number(progress.tokens_per_s, 0))),
            (_("Memory"), mebibytes(progress.memory_mib)),
            (_("Temperature"), temperature),
            (_("Measured at"), clock_second(progress.updated_at)),
        )
    )


def _right(accuracy: float | None) -> str:
    return percent(accuracy, 1) if accuracy is not None else ""


def _of_time(job: Job, *, now: float) -> Fields:
    tried = attempt(job)
    runs = job.started_at is not None and job.status is JobStatus.running
    return Fields(
        fields=(
            (_("Learns from"), one_line(job.model)),
            (_("Asked for"), clock_time(job.created_at, now=now)),
            (
                _("Runs for"),
                duration(now - (job.started_at or now)) if runs else "",
            ),
            (_("Number"), f"#{job.number}"),
            *(("", line) for line in tried),
        )
    )


def _of_result(job: Job, result: JobResult, *, with_answers: bool) -> list[Block]:
    rows = _("Loss on held-out rows") if result.optimistic else _("Loss on test rows")
    figures = Fields(
        fields=(
            (rows, f"{number(result.base_loss)} → {number(result.final_loss)}"),
            (_("Of them right"), _right(result.accuracy)),
            (_("Steps"), count(result.steps)),
            (_("Time"), duration(result.train_seconds)),
            (_("Speed"), _("{n} tokens/s", n=number(result.tokens_per_s, 0))),
            (_("Memory"), mebibytes(result.peak_memory_mib)),
            *_settings(job),
            (_("Learned from"), one_line(job.model)),
            (_("Number"), f"#{job.number}"),
        )
    )
    meaning = _("Loss is its surprise: lower is better. It does not tell true from false.")
    if result.accuracy is not None:
        meaning = _("Right: it prefers the answer that it should. Loss: by how little it does; lower is better.")
    tools = result.verification.tools_and_thoughts
    return [
        figures,
        Note(text=meaning),
        *([Words(text="\n".join(tools))] if tools else []),
        *([Items(heading=_("What changed on the way"), items=tuple(result.adapted))] if result.adapted else []),
        *(advised(item) for item in result.advice),
        *(before_and_after(answer) for answer in result.answers if with_answers),
    ]


def _settings(job: Job) -> list[tuple[str, str]]:
    if job.settings is None:
        return []
    used = job.settings
    return [
        (_("Epochs"), short(used.n_epochs)),
        (_("Learning rate"), short(used.learning_rate)),
        (_("Rank"), str(used.r)),
        (_("Rows a step"), str(used.batch_size)),
    ]
