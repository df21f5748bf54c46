"""What happened to a job, its last events in words with the time of each. Pure."""

from collections.abc import Iterable

from bot.cards.job import STAGES, WORDS, job_name
from bot.core.blocks import Items
from bot.core.reply import Button, Reply
from bot.words.format import clip, clock_time, number, one_line, size
from shared.events import (
    AdviceData,
    ArtifactData,
    CheckpointData,
    EvaluationData,
    Event,
    EventData,
    StageData,
    StateData,
)
from shared.jobs import Job, JobStatus
from shared.language import _

AS_FILE = "file"  # as the last word of /log: the log itself
LINES = 8
LINE_LENGTH = 100


def told(events: Iterable[Event]) -> list[Event]:
    """Return the last events that are worth a line, the oldest first, of events that come newest first.

    Of one stage that says several times how far it is, only what it said last.
    """
    found: list[Event] = []
    for event in events:
        if not _words(event.data):
            continue
        later = found[-1].data if found else None
        if isinstance(event.data, StageData) and isinstance(later, StageData) and event.data.stage is later.stage:
            continue
        found.append(event)
        if len(found) == LINES:
            break
    return found[::-1]


def happened_card(job: Job, events: list[Event], *, now: float) -> Reply:
    """Return the events as lines, the newest last, and a tap to the log itself."""
    lines = tuple(f"{clock_time(it.created_at, now=now, zone=False)} {_words(it.data)}" for it in events)
    return Reply(
        title=_("What happened · {job}", job=job_name(job)),
        summary="" if lines else _("Nothing yet."),
        blocks=(Items(items=lines),) if lines else (),
        buttons=(Button(label=_("As a file"), line=f"/log #{job.number} {AS_FILE}"),),
    )


def _words(data: EventData) -> str:
    """Return an event in a few words; empty for what happens all the time, or quotes somebody's data."""
    return clip(one_line(_said(data)), LINE_LENGTH)


def _said(data: EventData) -> str:
    match data:
        case StateData():
            return _state(data)
        case StageData(stage=stage, done=False, detail=detail):
            phrase = _(STAGES[stage][1])
            return f"{phrase}: {detail}" if detail else phrase
        case EvaluationData(step=step, split="validation", loss=loss):
            return _("Step {step}: loss on held-out rows {loss}", step=step, loss=number(loss))
        case EvaluationData(loss=loss):
            return _("Loss on test rows {loss}", loss=number(loss))
        case AdviceData(advice=advice):
            return _("Noticed: {what}", what=advice.title)
        case CheckpointData(step=step, best=True):
            return _("Step {step}: saved, the best so far", step=step)
        case CheckpointData(step=step):
            return _("Step {step}: saved", step=step)
        case ArtifactData(name=name, bytes=byte_count):
            return _("Written: {name}, {size}", name=name, size=size(byte_count))
        case _:
            return ""


def _state(data: StateData) -> str:
    word = _(WORDS[data.status])
    return f"{word}: {data.error.message}" if data.status is JobStatus.failed and data.error else word
