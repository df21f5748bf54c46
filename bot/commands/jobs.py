"""/jobs: the newest jobs, one a line."""

from bot.cards.job import titled
from bot.core.blocks import Items
from bot.core.call import Call
from bot.core.chat import Answer
from bot.core.reply import Reply
from bot.dispatch.command import Command, Core
from shared.language import N_, _

SHOWN = 10


async def run(_call: Call, core: Core, answer: Answer) -> None:
    """List number, state and name."""
    jobs = await core.agent.jobs(limit=SHOWN)
    if not jobs.data:
        await answer.show(Reply(summary=_("No jobs yet.\n/finetune sample makes the first.")))
        return
    items = tuple(f"#{job.number} {titled(job)}" for job in jobs.data[:SHOWN])
    older = jobs.has_more or len(jobs.data) > SHOWN
    rest = _("and older ones; these are the last {shown}", shown=SHOWN) if older else ""
    await answer.show(Reply(title=_("The last jobs"), blocks=(Items(items=items, rest=rest),)))


COMMAND = Command(name="jobs", usage="", summary=N_("the last jobs"), run=run, topic="machine")
