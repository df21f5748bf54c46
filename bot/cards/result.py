"""The new message at the end of a job: what came out or what went wrong, and what to do next. Pure."""

from dataclasses import dataclass, replace

from bot.cards.job import NAME_LENGTH, details_line, folder
from bot.cards.snapshot import Snapshot
from bot.cards.talking import chat_line
from bot.core.blocks import Fields, Note, Words
from bot.core.reply import Button, Copy, File, Image, Reply, Tone, Weight
from bot.words.format import clip, clock_time, duration, one_line, size
from bot.words.option_limits import within_limits
from bot.words.option_lines import write_change
from shared.files import FileLink, FileObject
from shared.jobs import Job, JobStatus
from shared.language import N_, _, ngettext
from shared.results import Advice, Answer, JobResult

READY, NOT_READY = N_("✓ {name} is ready · {time}"), N_("! {name} is trained, but not ready")
CANCELLED, FAILED = N_("{name} was stopped, as you asked"), N_("✗ {name} did not finish")
FILES = "files"  # as the last word of /status: send what the result left out
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
    kept_back: bool = False  # they wait to be asked for, as the chat is set
    missing: tuple[str, ...] = ()  # ids of files that the agent does not have any more


def result_card(snapshot: Snapshot, outcome: ResultFiles, *, with_answers: bool) -> Reply:
    """Return the closing message of a finished job: one screen.

    `with_answers`: show at once what the models said, rather than a button for it: they may quote the data.
    """
    job = snapshot.job
    if job.status is JobStatus.succeeded and job.result is not None:
        return _success(job, job.result, outcome, with_answers=with_answers)
    return _no_model(job, snapshot.advice, outcome)


def answers_card(job: Job, result: JobResult) -> Reply:
    """Return what the base model and the tuned one said."""
    return Reply(
        title=_("What it says · {name}", name=_name(job)), blocks=tuple(before_and_after(it) for it in result.answers)
    )


def before_and_after(answer: Answer) -> Fields:
    """Return a question with what the base model said and what the tuned one says."""
    said = (
        (_("before"), clip(one_line(answer.base), ANSWER_LENGTH)),
        (_("after"), clip(one_line(answer.tuned), ANSWER_LENGTH)),
    )
    return Fields(heading=clip(one_line(answer.question), ANSWER_LENGTH), fields=said)


def _success(job: Job, result: JobResult, outcome: ResultFiles, *, with_answers: bool) -> Reply:
    telling = next(iter(result.answers), None) if with_answers else None  # the agent puts the most telling first
    took = duration(result.train_seconds)
    title = _(READY, name=_name(job), time=took) if result.ready else _(NOT_READY, name=_name(job))
    small = [*_not_in_ollama(result), *_kept_back(job, outcome), *_missing(outcome)]
    return Reply(
        title=title,
        tone=Tone.good if result.ready else Tone.trouble,
        summary=result.verdict,
        blocks=(
            *((before_and_after(telling),) if telling is not None else ()),
            *(Note(text=text) for text in small),
        ),
        image=outcome.image,
        files=outcome.attached,
        folder=folder(job),
        again=f"/status #{job.number} {FILES}",
        copy=(_ollama(result), *_too_large(job, outcome), *_too_long_to_tap(job, tuple(result.advice))),
        buttons=(
            Button(label=_("Chat"), line=chat_line(job), weight=Weight.primary),
            *_share(job, result),
            _better(job, list(result.advice)),
            *_show_answers(job, result, shown=with_answers),
            Button(label=_("Details"), line=details_line(job)),
            Button(label=_("Files"), line=f"/status #{job.number} {FILES}"),
        ),
    )


def files_card(job: Job, outcome: ResultFiles) -> Reply:
    """Return all files of a finished job."""
    return Reply(
        title=_("Files · {name}", name=_name(job)),
        blocks=tuple(Note(text=text) for text in _missing(outcome)),
        image=outcome.image,
        files=outcome.attached,
        folder=folder(job),
        again=f"/status #{job.number} {FILES}",
        copy=_too_large(job, outcome),
        buttons=(Button(label=_("Delete files"), line=f"/delete #{job.number}", weight=Weight.danger),),
    )


def _name(job: Job) -> str:
    return clip(one_line(job.suffix), NAME_LENGTH)


def _share(job: Job, result: JobResult) -> tuple[Button, ...]:
    return (Button(label=_("Share"), line=f"/share #{job.number}"),) if result.answers else ()


def _show_answers(job: Job, result: JobResult, *, shown: bool) -> tuple[Button, ...]:
    if shown or not result.answers:
        return ()
    return (Button(label=_("Show answers"), line=f"/status #{job.number} {ANSWERS}"),)


def _no_model(job: Job, advice: tuple[Advice, ...], outcome: ResultFiles) -> Reply:
    cancelled = job.status is JobStatus.cancelled
    title = _(CANCELLED, name=_name(job)) if cancelled else _(FAILED, name=_name(job))
    cause = "" if cancelled else job.error.message if job.error else _("The agent gave no reason.")
    return Reply(
        title=title,
        tone=Tone.plain if cancelled else Tone.bad,
        summary=cause,
        blocks=(
            *(advised(item) for item in advice),
            Note(text="\n".join(filter(None, [_kept(job, outcome), *_missing(outcome), _("Your dataset is kept.")]))),
        ),
        image=outcome.image,
        files=outcome.attached,
        folder=folder(job),
        again=f"/status #{job.number} {FILES}",
        copy=(*_too_large(job, outcome), *_too_long_to_tap(job, advice)),
        buttons=(*_once_more(job, list(advice)), Button(label=_("Log"), line=f"/log #{job.number}")),
    )


def advised(advice: Advice) -> Words:
    """Return what was noticed, and what to do about it."""
    return Words(heading=one_line(advice.title), text=f"{advice.message}\n{advice.suggestion}")


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
    return [ollama.message] if ollama is not None and ollama.status in ("refused", "failed") else []


def _ollama(result: JobResult) -> Copy:
    if result.ollama is not None and result.ollama.run is not None:
        return Copy(intro=_("On the GPU machine:"), lines=(f"ollama run {one_line(result.ollama.run)}",))
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


def _kept_back(job: Job, outcome: ResultFiles) -> list[str]:
    if not outcome.kept_back:
        return []
    return [_("Its files are not sent by themselves here: /status #{number} files sends them.", number=job.number)]


def _missing(outcome: ResultFiles) -> list[str]:
    if not outcome.missing:
        return []
    n = len(outcome.missing)
    return [
        ngettext("{n} file is missing: the agent has lost it.", "{n} files are missing: the agent has lost them.", n)
    ]


def _changes(job: Job, advice: list[Advice]) -> dict[str, object]:
    """Return what the first advice with a change would change, as far as it is possible and not so already."""
    used = job.settings.model_dump() if job.settings else {}
    for item in advice:
        change = {name: value for name, value in within_limits(item.change).items() if used.get(name) != value}
        if change:
            return change
    return {}


def _once_more(job: Job, advice: list[Advice]) -> tuple[Button, ...]:
    """Return the tap that plans it again, with what was advised; both are shown as a plan before anything starts."""
    again = Button(label=_("Try again"), line=f"/retry #{job.number}", weight=Weight.primary)
    safer = _improved(job, advice, label=_("Again, as advised"))
    return (safer, replace(again, weight=Weight.usual)) if safer is not None else (again,)


def _better(job: Job, advice: list[Advice]) -> Button:
    """Return the tap to a plan with what was advised, or to the same plan once more."""
    improved = _improved(job, advice, label=_("Improve"))
    again = Button(label=_("Train again"), line=f"/retry #{job.number}")
    return replace(improved, weight=Weight.usual) if improved is not None else again


def _too_long_to_tap(job: Job, advice: tuple[Advice, ...]) -> tuple[Copy, ...]:
    """Return the line of what was advised, where no button has room for it."""
    changes = _changes(job, list(advice))
    if not changes or _improved(job, list(advice), label="") is not None:
        return ()
    return (Copy(intro=_("To try again as advised:"), lines=(_again(job, changes),)),)


def _improved(job: Job, advice: list[Advice], *, label: str) -> Button | None:
    changes = _changes(job, advice)
    line = _again(job, changes)
    fits = changes and len(line.encode()) <= BUTTON_BYTES
    return Button(label=label, line=line, weight=Weight.primary) if fits else None


def _again(job: Job, changes: dict[str, object]) -> str:
    return " ".join([f"/retry #{job.number}", *write_change(changes)])
