"""A job as a live card: its name and state, how far it is, and its loss. Pure."""

import re
from dataclasses import replace

from bot.cards.snapshot import Snapshot
from bot.cards.vital_signs import attempt, no_proof, signs
from bot.core.blocks import Bar, Block, Fields, Note, Words
from bot.core.reply import Button, Moment, Reply, Tone, Weight
from bot.words.format import DASH, clip, clock_time, duration, number, one_line, percent
from shared.jobs import Job, JobStatus, PauseReason, Progress, Stage
from shared.language import ENGLISH, N_, _, ngettext, spoken

STAGES: dict[Stage, tuple[str, str]] = {  # the word for a title, the phrase for a person
    Stage.fetch: (N_("Fetching"), N_("Getting the base model")),
    Stage.prepare: (N_("Preparing"), N_("Cutting the rows into tokens")),
    Stage.load: (N_("Loading"), N_("Loading the base model")),
    Stage.train: (N_("Training"), N_("Learning from the rows")),
    Stage.evaluate: (N_("Evaluating"), N_("Asking it about unseen rows")),
    Stage.export: (N_("Exporting"), N_("Writing the model file")),
    Stage.verify: (N_("Checking"), N_("Checking the model in llama.cpp")),
}
DETAILS = "details"  # as the last word of /status: all its figures
NAME_LENGTH = 24  # characters of a name in a title
SOON_S = 35.0  # what ticks ends no sooner: it would count on into the past before the card is looked at again
AWAY = N_("no contact")
LOST = N_("No contact since")
TROUBLE = N_("I cannot show more now.")
WORDS: dict[JobStatus, str] = {
    JobStatus.validating_files: N_("Reading"),
    JobStatus.queued: N_("Waiting"),
    JobStatus.running: N_("Starting"),  # what it does is not known yet
    JobStatus.paused: N_("Paused"),
    JobStatus.succeeded: N_("Done"),
    JobStatus.failed: N_("Failed"),
    JobStatus.cancelled: N_("Stopped"),
}
TONES: dict[JobStatus, Tone] = {
    JobStatus.validating_files: Tone.waiting,
    JobStatus.queued: Tone.waiting,
    JobStatus.running: Tone.working,
    JobStatus.paused: Tone.waiting,
    JobStatus.succeeded: Tone.good,
    JobStatus.failed: Tone.bad,
    JobStatus.cancelled: Tone.plain,
}
PAUSED: dict[PauseReason, str] = {
    PauseReason.asked: N_("Paused by a person: /resume #{number}"),
    PauseReason.agent: N_("The machine is paused: /resume"),
    PauseReason.disk: N_("The disk is full: make room there, then /resume #{number}"),
    PauseReason.gpu: N_("The GPU does not answer: restart that PC, then /resume"),
}


def job_name(job: Job) -> str:
    """Return #1 toast, as short as a title needs it."""
    return clip(f"#{job.number} {one_line(job.suffix)}", 20)


def state(job: Job) -> str:
    """Return the state in a word or two: Waiting, Training 43 %, Done. Nothing is said to run without a proof."""
    if no_proof(job):
        return _("No sign of life")
    word, training = _(WORDS[job.status]), job.status is JobStatus.paused
    if job.status is JobStatus.running and job.stage is not None:
        word, training = _(STAGES[job.stage][0]), job.stage is Stage.train
    if job.pausing:
        word = _("Pausing …")
    if training and job.progress is not None:
        return f"{word} {percent(job.progress.step, job.progress.total_steps)}"
    return word


def state_in_sentence(job: Job) -> str:
    """Return the state as it stands inside a sentence. German writes its nouns large there, too."""
    return state(job).lower() if spoken() == ENGLISH else state(job)


def titled(job: Job) -> str:
    """Return pirate · training 43 %."""
    return f"{clip(one_line(job.suffix), NAME_LENGTH)} · {state_in_sentence(job)}"


def job_line(job: Job, *, now: float) -> str:
    """Return one line of everything: #3 pirate · training 43 % · loss 2.10 · 18 min left."""
    progress = job.progress if job.status is JobStatus.running and not no_proof(job) else None
    loss = _("loss {loss}", loss=number(progress.loss, 2)) if progress is not None and progress.loss else ""
    left = time_left(progress, now=now) if progress is not None and job.stage is Stage.train else ""
    starts = ""
    if job.status is JobStatus.queued and job.estimated_start is not None:
        starts = _starts(job.estimated_start, now=now).lower() if spoken() == ENGLISH else ""
    return " · ".join(filter(None, [f"#{job.number} {titled(job)}", loss, left, starts]))


def job_card(snapshot: Snapshot, *, now: float) -> Reply:
    """Return the card of a job as it stands."""
    job = snapshot.job
    if snapshot.finished:
        return Reply(title=titled(job), tone=TONES[job.status], summary="\n".join(_ending(job)), folder=folder(job))
    summary, blocks = list[str](), list[Block]()
    if job.status is JobStatus.queued:
        summary = _waiting(snapshot, now=now)
    elif job.status is JobStatus.running:
        summary, blocks = _running(job, now=now)
    elif job.status is JobStatus.paused:
        summary = [_(PAUSED[job.paused], number=job.number)] if job.paused else []
        summary += _detail(job)
        blocks = losses(job.progress)
    return Reply(
        title=titled(job),
        tone=Tone.trouble if signs(job) else TONES[job.status],
        summary="\n".join(summary),
        blocks=(*blocks, Note(text=" · ".join([f"#{job.number}", *attempt(job)]))),
        folder=folder(job),
        milestone=_milestone(snapshot),
        moments=tuple(_moments(snapshot, now=now)),
        buttons=_buttons(job),
    )


def folder(job: Job) -> str:
    """Return where a job's files are saved, if their names are taken."""
    return f"{job.suffix}-{job.number}"


def told_before(card: Reply, job: Job) -> Reply:
    """Return the card of a job whose result was on its way several times, and may have been seen or not."""
    seen = _("If you have not seen the result: /status #{number}", number=job.number)
    return replace(card, summary="\n".join(filter(None, (card.summary, seen))))


def without_contact(shown: str, *, since: float, now: float) -> Reply:
    """Return the last card that was seen, as what it is: the past. Since when, and what happens next."""
    title, _newline, known = shown.partition(f"\n\n{_(LOST)}")[0].partition("\n")
    name, _dot, last = title.partition(" · ")
    if last != _(AWAY):
        title, known = f"{name} · {_(AWAY)}", "\n".join([_("Last seen: {last}", last=last), known.strip("\n")])
    line = f"{_(LOST)} {clock_time(since, now=now)}."
    next_ = _("What ran there goes on if that PC is awake. I catch up by myself.")
    return _of_the_past(title, known, f"{line}\n{next_}", milestone=f"lost {since}")


def troubled_card(shown: str, *, mark: str, again_at: float, now: float) -> Reply:
    """Return the last card that was true, and that what came later could not be shown by a fault of ours."""
    title, _newline, known = shown.partition(f"\n\n{_(TROUBLE)}")[0].partition("\n")
    about = _("My log has it under {mark}. I try again at {time}.", mark=mark, time=clock_time(again_at, now=now))
    return _of_the_past(title, known, f"{_(TROUBLE)} {about}", milestone=f"trouble {mark}")


def _of_the_past(title: str, known: str, said: str, *, milestone: str) -> Reply:
    return Reply(
        title=title, tone=Tone.trouble, summary=known.strip("\n"), blocks=(Words(text=said),), milestone=milestone
    )


def moved_here(*, mention: str) -> Reply:
    """Return what is said where a card goes on whose chat can be written to no more."""
    text = _("I cannot write any more where you asked for this, so here is how it goes on.")
    return Reply(summary=text, mention=mention)


def moved_card(job_name: str) -> Reply:
    """Return what an old card says when the live one is further down."""
    return Reply(summary=_("{job}: its live card is further down.", job=job_name))


def _waiting(snapshot: Snapshot, *, now: float) -> list[str]:
    job, queued = snapshot.job, snapshot.queued
    if job.start_at is not None and job.start_at > now:
        return [_("Starts {time}, as asked", time=clock_time(job.start_at, now=now))]
    position = job.queue_position
    of = _(" of {queued}", queued=queued) if position is not None and queued is not None and queued >= position else ""
    lines = [_("Place {position}{of} in the queue", position=position if position is not None else DASH, of=of)]
    if snapshot.machine_paused:
        return [*lines, _("The machine is paused: nothing starts until /resume")]
    return [*lines, *([_starts(snapshot.starts_at, now=now)] if snapshot.starts_at is not None else [])]


def _starts(at: float, *, now: float) -> str:
    """Return when a job starts: by the clock, as a span would stand still until the next edit."""
    if at - now < 5:
        return _("Starts at once")
    if at - now < SOON_S:
        return _("Starts within a minute")
    return _("Starts about {time}", time=clock_time(at, now=now))


def _running(job: Job, *, now: float) -> tuple[list[str], list[Block]]:
    """Return what to say first, and below it how far it is."""
    summary, blocks, progress = signs(job), list[Block](), job.progress
    if job.stage is not None and job.stage is not Stage.train:
        step = list(Stage).index(job.stage) + 1
        summary += [_("{doing} ({step} of {steps})", doing=_(STAGES[job.stage][1]), step=step, steps=len(Stage))]
    summary += _detail(job)
    if progress is not None and job.stage is Stage.train:
        goes_on = progress.step < progress.total_steps and not signs(job) and not job.pausing
        left = time_left(progress, now=now) if goes_on else ""
        blocks.append(Bar(part=progress.step, whole=progress.total_steps, beside=left))
    return summary, [*blocks, *losses(progress)]


def _detail(job: Job) -> list[str]:
    return [one_line(job.stage_detail)] if job.stage_detail else []


def losses(progress: Progress | None) -> list[Block]:
    """Return what it gets wrong so far, on the rows it learns from and on those it does not."""
    if progress is None or progress.loss is None:
        return []
    held_out = number(progress.validation_loss, 2) if progress.validation_loss is not None else ""
    right = percent(progress.validation_accuracy, 1) if progress.validation_accuracy is not None else ""
    return [Fields(fields=((_("loss"), number(progress.loss, 2)), (_("held-out"), held_out), (_("right"), right)))]


def time_left(progress: Progress, *, now: float) -> str:
    """Return 18 min left (14:02 CET); nothing while it is not known."""
    if progress.eta_s is None:
        return ""
    done = clock_time(progress.updated_at + progress.eta_s, now=now)
    return _("{duration} left ({time})", duration=duration(progress.eta_s), time=done)


def _moments(snapshot: Snapshot, *, now: float) -> list[Moment]:
    """Return the lines of a card that name a time still to come, and not before the card is looked at again."""
    progress, starts_at = snapshot.job.progress, snapshot.starts_at
    moments = []
    if progress is not None and progress.eta_s is not None:
        done_at = int(progress.updated_at + progress.eta_s)
        moments.append(Moment(words=time_left(progress, now=now), before=_("done "), at=done_at))
    if starts_at is not None:
        moments.append(Moment(words=_starts(starts_at, now=now), before=_("Starts "), at=int(starts_at)))
    return [moment for moment in moments if moment.at - now >= SOON_S]


def _ending(job: Job) -> list[str]:
    lines = []
    if job.result is not None:
        losses = {"base_loss": number(job.result.base_loss), "final_loss": number(job.result.final_loss)}
        if job.result.optimistic:  # too few rows for some of their own
            lines.append(_("Loss on held-out rows {base_loss} → {final_loss}", **losses))
        else:
            lines.append(_("Loss on test rows {base_loss} → {final_loss}", **losses))
        lines.append(
            ngettext(
                "{n} step in {duration}",
                "{n} steps in {duration}",
                job.result.steps,
                duration=duration(job.result.train_seconds),
            )
        )
    elif job.progress is not None:
        lines.append(
            _("Stopped at step {step} of {total_steps}", step=job.progress.step, total_steps=job.progress.total_steps)
        )
    if job.finished_at is not None:
        lines.append(_("Ended {time}", time=clock_time(job.finished_at)))
    return lines


def _milestone(snapshot: Snapshot) -> str:
    """Return what is worth printing the card again for, where an edit cannot be seen."""
    job = snapshot.job
    fifth = 0  # from 1 on once there is a step: its card is the first to say how long it takes
    if job.stage is Stage.train and job.progress is not None and job.progress.step and job.progress.total_steps:
        fifth = 1 + 5 * job.progress.step // job.progress.total_steps
    health = "" if job.health is None else job.health.value
    doing = re.sub(r"[\d.,]+", "", job.stage_detail or "")  # its words, not its figures
    where = f"{job.status} {job.stage} {fifth} {job.queue_position} {job.start_at} {doing}"
    return f"{where} {health} {no_proof(job)} {job.attempt} {job.pausing} {job.paused}"


def _buttons(job: Job) -> tuple[Button, ...]:
    """Return at most three: what stands in one row on a phone."""
    hold: tuple[Button, ...] = ()
    if job.status is JobStatus.paused:
        machine = job.paused in (PauseReason.agent, PauseReason.gpu)
        hold = (Button(label=_("Resume"), line="/resume" if machine else f"/resume #{job.number}"),)
    elif job.status is JobStatus.running and not job.pausing:
        hold = (Button(label=_("Pause"), line=f"/pause #{job.number}"),)
    stop = Button(label=_("Stop"), line=f"/cancel #{job.number}", weight=Weight.danger)
    details = (Button(label=_("Details"), line=details_line(job)),) if job.progress is not None else ()
    return (*hold, stop, *details)


def details_line(job: Job) -> str:
    """Return the command that shows all figures of a job."""
    return f"/status #{job.number} {DETAILS}"
