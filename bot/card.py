"""A job as a live card: the state as a word first, then its vitals, one a line. Pure."""

from bot.format import (
    DASH,
    bar,
    clip,
    clock_second,
    clock_time,
    duration,
    mebibytes,
    number,
    one_line,
    percent,
    short,
    wrap,
)
from bot.reply import Button, Reply
from bot.snapshot import Snapshot
from shared.jobs import Job, JobStatus, Progress, Stage

STAGES: dict[Stage, tuple[str, str]] = {  # the word for a title, the phrase for a person
    Stage.fetch: ("Fetching", "Getting the base model"),
    Stage.prepare: ("Preparing", "Cutting the rows into tokens"),
    Stage.load: ("Loading", "Loading the base model"),
    Stage.train: ("Training", "Learning from the rows"),
    Stage.evaluate: ("Evaluating", "Asking it about unseen rows"),
    Stage.export: ("Exporting", "Writing the model file"),
    Stage.verify: ("Checking", "Checking the model in llama.cpp"),
}
LOST = "No contact with the agent since"
WORDS: dict[JobStatus, str] = {
    JobStatus.validating_files: "Reading",
    JobStatus.queued: "Waiting",
    JobStatus.running: "Running",
    JobStatus.paused: "Paused",
    JobStatus.succeeded: "Done",
    JobStatus.failed: "Failed",
    JobStatus.cancelled: "Cancelled",
}


def job_name(job: Job) -> str:
    """Return #1 toast, as short as a title needs it."""
    return clip(f"#{job.number} {one_line(job.suffix)}", 20)


def state(job: Job) -> str:
    """Return the state in a word or two: Waiting, Training · 43 %, Done."""
    if job.status is JobStatus.running and job.stage is not None:
        word = STAGES[job.stage][0]
        training = job.stage is Stage.train and job.progress is not None
    else:
        word = WORDS[job.status]
        training = job.status is JobStatus.paused and job.progress is not None
    if training and job.progress is not None:
        return f"{word} · {percent(job.progress.step, job.progress.total_steps)}"
    return word


def job_card(snapshot: Snapshot, *, now: float) -> Reply:
    """Return the card of a job as it stands."""
    job = snapshot.job
    lines = [f"{state(job)} · {job_name(job)}"]
    if snapshot.finished:
        return Reply(text="\n".join(lines + _ending(job)))
    if job.status is JobStatus.queued:
        lines += _waiting(snapshot, now=now)
    elif job.status is JobStatus.running:
        lines += _running(job, now=now)
    return Reply(text="\n".join(lines), milestone=_milestone(snapshot), buttons=_buttons(job))


def without_contact(shown: str, *, since: float, now: float) -> Reply:
    """Return the last card that was seen, with since when the agent has not answered."""
    known = shown.partition(f"\n\n{LOST}")[0]
    line = f"{LOST} {clock_time(since, now=now)}."
    return Reply(text="\n".join([known, "", line, "I go on by myself when it is back."]), milestone=f"lost {since}")


def moved_card(job_name: str) -> Reply:
    """Return what an old card says when the live one is further down."""
    return Reply(text=f"{job_name}: its live card is further down.")


def unknown_card(shown: str) -> Reply:
    """Return the last word on a job that the agent does not know."""
    first = shown.partition("\n")[0]
    return Reply(text="\n".join(["Gone", *wrap(f"The agent does not know this job any more. Last seen: {first}")]))


def _waiting(snapshot: Snapshot, *, now: float) -> list[str]:
    position, queued = snapshot.job.queue_position, snapshot.queued
    of = f" of {queued}" if position is not None and queued is not None and queued >= position else ""
    lines = [f"Place {position if position is not None else DASH}{of} in the queue"]
    if snapshot.starts_at is None:
        return [*lines, f"Starts in {DASH}"]
    remaining_s = max(0.0, snapshot.starts_at - now)
    if remaining_s < 5:
        return [*lines, "Starts at once"]
    return [*lines, f"Starts in about {duration(remaining_s)} ({clock_time(snapshot.starts_at, now=now)})"]


def _running(job: Job, *, now: float) -> list[str]:
    lines = []
    if job.stage is not None and job.stage is not Stage.train:
        step = list(Stage).index(job.stage) + 1
        lines += wrap(f"{STAGES[job.stage][1]} ({step} of {len(Stage)})")
    elapsed = f"Elapsed {duration(now - (job.started_at or job.created_at))}"
    if job.progress is None:
        return [*lines, elapsed]
    if job.stage is Stage.train:
        lines += [
            *_pace(job.progress),
            *_losses(job.progress),
            *_machine(job.progress),
            _time_left(job.progress, now=now),
        ]
    else:
        lines += [f"Trained {job.progress.step} of {job.progress.total_steps} steps", *_losses(job.progress)]
    return [*lines, elapsed, f"Updated {clock_second(job.progress.updated_at)}"]


def _pace(progress: Progress) -> list[str]:
    return [
        bar(progress.step, progress.total_steps),
        f"Step {progress.step} of {progress.total_steps}",
        f"Epoch {progress.epoch:.1f} of {short(progress.n_epochs)}",
    ]


def _losses(progress: Progress) -> list[str]:
    best = f", best {number(progress.best_loss)}" if progress.best_loss is not None else ""
    return [
        f"Loss {number(progress.loss)} (lower is better)",
        f"On held-out rows {number(progress.validation_loss)}{best}",
    ]


def _machine(progress: Progress) -> list[str]:
    temperature = f", {progress.temperature_c} °C" if progress.temperature_c is not None else ""
    return [
        f"Speed {number(progress.tokens_per_s, 0)} tokens/s",
        f"Memory {mebibytes(progress.memory_mib)}{temperature}",
    ]


def _time_left(progress: Progress, *, now: float) -> str:
    if progress.eta_s is None:
        return f"Time left {DASH}"
    return f"About {duration(progress.eta_s)} left, done {clock_time(progress.updated_at + progress.eta_s, now=now)}"


def _ending(job: Job) -> list[str]:
    lines = []
    if job.result is not None:
        lines.append(f"Loss {number(job.result.base_loss)} → {number(job.result.final_loss)}")
        lines.append(f"{job.result.steps} steps in {duration(job.result.train_seconds)}")
    elif job.progress is not None:
        lines.append(f"Stopped at step {job.progress.step} of {job.progress.total_steps}")
    if job.finished_at is not None:
        lines.append(f"Ended {clock_time(job.finished_at)}")
    return lines


def _milestone(snapshot: Snapshot) -> str:
    job = snapshot.job
    fifth = 0
    if job.stage is Stage.train and job.progress is not None and job.progress.total_steps:
        fifth = 5 * job.progress.step // job.progress.total_steps
    return f"{job.status} {job.stage} {fifth} {job.queue_position}"


def _buttons(job: Job) -> tuple[Button, ...]:
    plot = (Button(label="Plot", line=f"/plot #{job.number}"),) if job.progress is not None else ()
    log = (Button(label="Log", line=f"/log #{job.number}"),) if job.status is JobStatus.running else ()
    return (*plot, *log, Button(label="Cancel", line=f"/cancel #{job.number}"))
