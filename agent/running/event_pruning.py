"""Forgets most progress events of jobs that ended a day ago, in the store and in their folders' events.jsonl.

What was concluded from them (advice, result, report) was written down when the job ended, and stays.
"""

import asyncio
import logging
from itertools import islice
from pathlib import Path

from agent.diagnosis.curve_thinning import FEW, Point, chosen, loss_of, stretches
from agent.job_folder.durable import replace_file
from agent.settings import AgentSettings
from agent.store import Store, events, pruning

WHOLE_S = 24 * 3600  # that a job's events stay as they were after its end

log = logging.getLogger(__name__)


async def prune_events(store: Store, settings: AgentSettings, *, now: float) -> None:
    """Prune the events of every job that ended long enough ago. What one job meets stops no other."""
    for job_id in await store.run(pruning.ended_before, now - WHOLE_S):
        try:
            await _prune(store, job_id, settings.job_folder(job_id).events)
        except Exception:
            log.exception("%s: its events are pruned at the next sweep", job_id)


async def _prune(store: Store, job_id: str, path: Path) -> None:
    while told := await store.run(pruning.queue_sequences, job_id):
        await store.run(pruning.forget, job_id, told)
    if not await store.run(pruning.has_too_many, job_id):
        return
    await asyncio.to_thread(thin_file, path)  # before the store, which says when all is done
    for stretch in stretches(await store.run(events.latest_sequence, job_id)):
        points = await _points(store, job_id, stretch)
        staying = chosen(points, stretch)
        going = [point.number for point in points if point.number not in staying]
        for start in range(0, len(going), pruning.AT_ONCE):
            await store.run(pruning.forget, job_id, going[start : start + pruning.AT_ONCE])


async def _points(store: Store, job_id: str, stretch: range) -> list[Point]:
    points: list[Point] = []
    behind = stretch.start - 1
    while page := await store.run(pruning.progress, job_id, behind=behind, stop=stretch.stop):
        points += [Point(number=sequence, loss=loss_of(text)) for sequence, text in page]
        behind = page[-1][0]
    return points


def thin_file(path: Path) -> None:
    """Thin the progress lines of an ended job's events.jsonl, which nobody writes any more. Blocking."""
    try:
        with path.open("rb") as file:
            kinds = [_is_progress(line) for line in file]
        if sum(kinds) <= FEW:
            return
        with path.open("rb") as file:
            staying = [
                line
                for stretch in stretches(len(kinds))
                for line in _staying(list(islice(file, len(stretch))), stretch)
            ]
    except FileNotFoundError:
        return
    replace_file(path, b"".join(staying))


def _staying(lines: list[bytes], stretch: range) -> list[bytes]:
    numbered = list(zip(stretch, lines, strict=False))
    points = [Point(number=number, loss=loss_of(line)) for number, line in numbered if _is_progress(line)]
    going = {point.number for point in points} - chosen(points, stretch)
    return [line for number, line in numbered if number not in going]


def _is_progress(line: bytes) -> bool:
    return b'"kind":"progress"' in line
