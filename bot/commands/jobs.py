"""/jobs: the newest jobs, one a line."""

from bot.cards.job import state
from bot.core.call import Call
from bot.core.chat import Answer
from bot.core.reply import Reply
from bot.dispatch.command import Command, Core
from bot.words.format import clip, one_line
from shared.language import N_, _

SHOWN = 10


async def run(_call: Call, core: Core, answer: Answer) -> None:
    """List number, state and name."""
    jobs = await core.agent.jobs(limit=SHOWN)
    if not jobs.data:
        await answer.show(Reply(text=_("No jobs yet.\n/finetune sample makes the first.")))
        return
    lines = [clip(f"#{job.number} {state(job)} · {one_line(job.suffix)}") for job in jobs.data[:SHOWN]]
    if jobs.has_more or len(jobs.data) > SHOWN:
        lines.append(_("and older ones; these are the last {shown}", shown=SHOWN))
    await answer.show(Reply(text="\n".join(lines)))


COMMAND = Command(name="jobs", usage="", summary=N_("the last jobs"), run=run)
