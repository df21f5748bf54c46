"""/log: what happened to a job in words, and the last lines of its log as a file."""

from collections import deque
from collections.abc import AsyncIterator

from bot.cards.happened import AS_FILE, LINES, happened_card, told
from bot.cards.job import job_name
from bot.core.blocks import Quote
from bot.core.call import Call
from bot.core.chat import Answer
from bot.core.reply import Reply
from bot.dispatch.command import Command, Core
from bot.dispatch.job_reference import find_job
from bot.following.results import bytes_file
from bot.words.format import clip, plain, safe_file_name
from shared.events import Event
from shared.jobs import Job
from shared.language import N_, _, ngettext

TAIL_BYTES = 256 * 1024
EXCERPT_LINES = 6
LINE_LENGTH = 120
PAGE = 100  # events asked for at once
PAGES = 10  # at most: a long training has thousands of steps


async def run(call: Call, core: Core, answer: Answer) -> None:
    """Say what happened to a job last; with the word `file`, send the end of its log."""
    if call.arguments[-1:] == (AS_FILE,):
        await _send(core, answer, await find_job(core.agent, call.arguments[:-1]))
        return
    job = await find_job(core.agent, call.arguments)
    await answer.show(happened_card(job, await _last_events(core, job), now=core.clock.now()))


async def _last_events(core: Core, job: Job) -> list[Event]:
    """Ask for older events until there is enough to tell: most are steps of the training."""
    seen: list[Event] = []
    for _page in range(PAGES):
        page = await core.agent.events(job.id, limit=PAGE, after=seen[-1].id if seen else None)
        seen += page.data
        if not page.data or not page.has_more or len(told(seen)) == LINES:
            break
    return told(seen)


async def _send(core: Core, answer: Answer, job: Job) -> None:
    lines = await _last_lines(core.agent.log(job.id))
    if not lines:
        await answer.show(Reply(summary=_("The log of {job} is still empty.", job=job_name(job))))
        return
    name = safe_file_name(f"{job.suffix}-{job.number}.log.txt")
    excerpt = [clip(line, LINE_LENGTH) for line in lines if line.strip()][-EXCERPT_LINES:]
    await answer.show(
        Reply(
            title=_("Log · {job}", job=job_name(job)),
            summary=ngettext("{n} line, the last are:", "{n} lines, the last are:", len(lines)),
            blocks=(Quote(words="\n".join(excerpt), folded=True),),
            files=(bytes_file(name, ("\n".join(lines) + "\n").encode()),),
            folder=f"{job.suffix}-{job.number}",
            again=f"/log #{job.number} {AS_FILE}",
        )
    )


async def _last_lines(chunks: AsyncIterator[bytes]) -> list[str]:
    """Keep no more than the tail, however long the log is."""
    tail: deque[bytes] = deque()
    kept = 0
    dropped = False
    async for chunk in chunks:
        tail.append(chunk)
        kept += len(chunk)
        while kept - len(tail[0]) > TAIL_BYTES:
            kept -= len(tail.popleft())
            dropped = True
    lines = plain(b"".join(tail).decode("utf-8", "replace")).splitlines()
    return lines[1:] if dropped else lines


COMMAND = Command(name="log", usage="[#n]", summary=N_("what happened, and when"), run=run, topic="results")
