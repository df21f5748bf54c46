"""/retry: the same run once more, changed where asked. A new plan is shown first, as with /finetune."""

from dataclasses import replace

from bot.commands import finetune
from bot.core.call import Call
from bot.core.chat import Answer
from bot.dispatch.command import Command, Core, always
from bot.dispatch.job_reference import find_job
from shared.language import N_


async def run(call: Call, core: Core, answer: Answer) -> None:
    """Plan the job that was named, or the last one, once more with its file, model, settings and seed."""
    named = call.arguments[:1] if call.arguments and not _is_option(call.arguments[0]) else ()
    job = await find_job(core.agent, named)
    changes = call.arguments[len(named) :]
    core.requests.means(call.kept_as, (f"#{job.number}", *changes))  # sent once more, it must not mean another job
    arguments = (f"like:{job.id}", *changes)
    await finetune.run(replace(call, arguments=arguments), core, answer)


def _is_option(argument: str) -> bool:
    return ":" in argument or "=" in argument


COMMAND = Command(name="retry", usage="[#n] [epochs:3 …]", summary=N_("anew"), run=run, keeps=always)
