"""The new message at the end of a job: what came out or what went wrong, and what to do next. Pure."""

from dataclasses import dataclass

from bot.cards.job import job_name
from bot.cards.snapshot import Snapshot
from bot.cards.trying import try_line
from bot.core.reply import Button, Copy, File, Image, Reply
from bot.words.format import clip, clock_time, duration, flow, number, one_line, size
from bot.words.option_lines import write_change, write_line
from bot.words.options import within_limits
from shared.files import FileLink, FileObject
from shared.jobs import Job, JobStatus
from shared.language import N_, _, ngettext
from shared.results import Advice, Answer, JobResult

READY, NOT_READY = N_("Your model is ready · {job}"), N_("Trained, not ready · {job}")
ANSWERS = "answers"  # as the last word of /status: show them
DAY_S = 24 * 3600
BUTTON_BYTES = 64  # the longest line that any platform's button carries
ANSWER_LENGTH = 220  # characters of an answer shown; a tuned one is whole in the report


@dataclass(frozen=True, kw_only=True)
class Linked:
    """A file, and how whoever has no key gets it for a while."""

    file: FileObject
    link: FileLink


@dataclass(frozen=True, kw_only=True)
class ResultFiles:
    """A finished job's files, sorted by whether this chat takes them."""

    image: Image | None = None
    attached: tuple[File, ...] = ()
    too_large: tuple[FileObject, ...] = ()
    links: tuple[Linked, ...] = ()  # to those that are too large, where the agent makes links
    missing: tuple[str, ...] = ()  # ids of files that the agent does not have any more


def result_card(snapshot: Snapshot, outcome: ResultFiles, *, with_answers: bool) -> Reply:
    """Return the closing message of a finished job.

    `with_answers`: show at once what the models said, rather than a button for it: they may quote the data.
    """
    job = snapshot.job
    if job.status is JobStatus.succeeded and job.result is not None:
        return _success(job, job.result, outcome, with_answers=with_answers)
    return _no_model(job, snapshot.advice, outcome)


def answers_card(job: Job, result: JobResult) -> Reply:
    """Return what the base model and the tuned one said."""
    blocks = [
        [clip(_("Answers · {job}", job=job_name(job)))],
        *[_answer(answer) for answer in result.answers],
    ]
    return Reply(text=_join(blocks))


def _success(job: Job, result: JobResult, outcome: ResultFiles, *, with_answers: bool) -> Reply:
    blocks = [
        [clip(_(READY if result.ready else NOT_READY, job=job_name(job)))],
        flow(result.verdict),
        _loss(result),
        [line for said in result.verification.tools_and_thoughts for line in flow(said)],
        *[_answer(answer) for answer in result.answers if with_answers],
        *[_advice(advice) for advice in result.advice],
        _missing(outcome),
        _not_in_ollama(result),
    ]
    return Reply(
        text=_join(blocks),
        image=outcome.image,
        files=outcome.attached,
        folder=f"{job.suffix}-{job.number}",
        again=f"/status #{job.number}",
        copy=(_ollama(result), *_too_large(job, outcome), *_as_advised(job, result.advice)),
        buttons=(
            Button(label=_("Try"), line=try_line(job)),
            *_show_answers(job, result, shown=with_answers),
            Button(label=_("Train again"), line=f"/retry #{job.number}"),
            Button(label=_("Delete files"), line=f"/delete #{job.number}"),
        ),
    )


def _show_answers(job: Job, result: JobResult, *, shown: bool) -> tuple[Button, ...]:
    if shown or not result.answers:
        return ()
    return (Button(label=_("Show answers"), line=f"/status #{job.number} {ANSWERS}"),)


def _no_model(job: Job, advice: tuple[Advice, ...], outcome: ResultFiles) -> Reply:
    if job.status is JobStatus.cancelled:
        title, cause = _("Cancelled as you asked"), []
    else:
        title, cause = _("No model this time"), flow(job.error.message if job.error else _("The agent gave no reason."))
    blocks = [
        [clip(f"{title} · {job_name(job)}")],
        cause,
        *[_advice(item) for item in advice],
        flow(_kept(job, outcome)),
        _missing(outcome),
        flow(_("Your dataset is kept. What happened, line by line: /log #{number}", number=job.number)),
    ]
    again = Copy(intro=_("To try again:"), lines=(_line(job, {}),))
    return Reply(
        text=_join(blocks),
        image=outcome.image,
        files=outcome.attached,
        folder=f"{job.suffix}-{job.number}",
        again=f"/status #{job.number}",
        copy=(*_too_large(job, outcome), *(_as_advised(job, list(advice)) or (again,))),
        buttons=(*_once_more(job, list(advice)), Button(label=_("Log"), line=f"/log #{job.number}")),
    )


def _loss(result: JobResult) -> list[str]:
    speed = _("{tokens_per_s} tokens/s", tokens_per_s=number(result.tokens_per_s, 0))
    return [
        *flow(_("(Loss is its surprise: lower is better. It does not tell true from false.)")),
        ngettext(
            "{n} step in {duration}, {speed}",
            "{n} steps in {duration}, {speed}",
            result.steps,
            duration=duration(result.train_seconds),
            speed=speed,
        ),
    ]


def _answer(answer: Answer) -> list[str]:
    return [
        *flow(_("Q: {question}", question=one_line(answer.question)), rest="   "),
        *flow(_("Base model: {base}", base=clip(one_line(answer.base), ANSWER_LENGTH)), rest="  "),
        *flow(_("Tuned model: {tuned}", tuned=clip(one_line(answer.tuned), ANSWER_LENGTH)), rest="  "),
    ]


def _advice(advice: Advice) -> list[str]:
    return [*flow(_("Advice: {title}", title=one_line(advice.title))), *flow(advice.message), *flow(advice.suggestion)]


def _kept(job: Job, outcome: ResultFiles) -> str:
    files = len(outcome.attached) + len(outcome.too_large)
    if files:
        files += outcome.image is not None  # in the list of a terminal it stands beside them
        return ngettext("Kept: {n} file made before the end.", "Kept: {n} files made before the end.", files)
    if outcome.missing:
        return ""
    if job.progress is None or job.progress.step == 0:
        return _("No step was trained yet, so there was nothing to keep.")
    return _(
        "Trained: {step} of {total_steps} steps. No file was finished.",
        step=job.progress.step,
        total_steps=job.progress.total_steps,
    )


def _not_in_ollama(result: JobResult) -> list[str]:
    """Say why, where an Ollama is there that does not have it."""
    ollama = result.ollama
    return flow(ollama.message) if ollama is not None and ollama.status in ("refused", "failed") else []


def _ollama(result: JobResult) -> Copy:
    if result.ollama is not None and result.ollama.run is not None:
        return Copy(intro=_("It is in Ollama already:"), lines=(f"ollama run {one_line(result.ollama.run)}",))
    name = one_line(result.name_by_hand)
    return Copy(
        intro=_("Run it with Ollama, in the folder of these files:"),
        lines=(f"ollama create {name} -f Modelfile", f"ollama run {name}"),
    )


def _too_large(job: Job, outcome: ResultFiles) -> tuple[Copy, ...]:
    """Return how to get what this chat does not take: by links, else by a command on the agent's machine."""
    links = tuple(_linked(linked) for linked in outcome.links)
    linked = [linked.file for linked in outcome.links]
    left = [f"{one_line(file.filename)}, {size(file.bytes)}" for file in outcome.too_large if file not in linked]
    if not left:
        return links
    intro = _("Too large for this chat: {files}. On the GPU machine, this copies all files:", files="; ".join(left))
    return (*links, Copy(intro=intro, lines=(f"hearth-agent results {job.number}",)))


def _linked(linked: Linked) -> Copy:
    intro = _(
        "Too large for this chat: {file}, {size}. Until {time} it is here:",
        file=one_line(linked.file.filename),
        size=size(linked.file.bytes),
        time=clock_time(linked.link.expires_at, now=linked.link.expires_at - DAY_S),  # with its day
    )
    return Copy(intro=intro, lines=(linked.link.url,), link=True)


def _missing(outcome: ResultFiles) -> list[str]:
    return (
        flow(_("Missing, the agent has lost: {missing}.", missing=", ".join(outcome.missing)))
        if outcome.missing
        else []
    )


def _changes(job: Job, advice: list[Advice]) -> dict[str, object]:
    """Return what the first advice with a change would change, as far as it is possible and not so already."""
    used = job.settings.model_dump() if job.settings else {}
    for item in advice:
        change = {name: value for name, value in within_limits(item.change).items() if used.get(name) != value}
        if change:
            return change
    return {}


def _as_advised(job: Job, advice: list[Advice]) -> tuple[Copy, ...]:
    changes = _changes(job, advice)
    return (Copy(intro=_("To try again as advised:"), lines=(_line(job, changes),)),) if changes else ()


def _once_more(job: Job, advice: list[Advice]) -> tuple[Button, ...]:
    """Return the tap that plans it again, with what was advised; both are shown as a plan before anything starts."""
    changes = " ".join(write_change(_changes(job, advice)))
    again = Button(label=_("Try again"), line=f"/retry #{job.number}")
    if not changes:
        return (again,)
    safer = Button(label=_("Again, as advised"), line=f"/retry #{job.number} {changes}")
    return (safer, again) if len(safer.line.encode()) <= BUTTON_BYTES else (again,)


def _line(job: Job, changes: dict[str, object]) -> str:
    return write_line(
        job.training_file, mapping=job.mapping, model=job.model, name=job.suffix, method=job.method, seed=job.seed,
        change=changes, preset=job.preset,
    )  # fmt: skip


def _join(blocks: list[list[str]]) -> str:
    return "\n\n".join("\n".join(block) for block in blocks if block)
