"""/log: the last lines of a job's log as a file, and the very last in the message."""

from collections import deque
from collections.abc import AsyncIterator

from bot.cards.job import job_name
from bot.core.blocks import Quote
from bot.core.call import Call
from bot.core.chat import Answer
from bot.core.reply import Reply
from bot.dispatch.command import Command, Core
from bot.dispatch.job_reference import find_job
from bot.following.results import bytes_file
from bot.words.format import clip, plain, safe_file_name
from shared.language import N_, _, ngettext

TAIL_BYTES = 256 * 1024
EXCERPT_LINES = 6
LINE_LENGTH = 120


async def run(call: Call, core: Core, answer: Answer) -> None:
    """Show the end of a job's log."""
    job = await find_job(core.agent, call.arguments)
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
            again=f"/log #{job.number}",
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


COMMAND = Command(name="log", usage="[#n]", summary=N_("its last lines, as a file"), run=run, topic="results")
