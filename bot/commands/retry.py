"""/retry: the same run once more, changed where asked. A new plan is shown first, as with /finetune."""

from dataclasses import replace

from bot.commands import finetune
from bot.core.call import Call
from bot.core.chat import Answer
from bot.dispatch.command import Command, Core, always
from bot.dispatch.job_reference import find_job
from bot.words.option_words import option_words, parted
from shared.language import N_


async def run(call: Call, core: Core, answer: Answer) -> None:
    """Plan the job that was named, or the last one, once more with its file, model, settings and seed."""
    words = option_words(call.arguments)
    named = words[:1] if words and parted(words[0]) is None else ()
    job = await find_job(core.agent, named)
    changes = words[len(named) :]
    core.requests.means(call.kept_as, (f"#{job.number}", *changes))  # sent once more, it must not mean another job
    arguments = (f"like:{job.id}", *changes)
    await finetune.run(replace(call, arguments=arguments), core, answer)


COMMAND = Command(
    name="retry", usage="[#n] [epochs:3 …]", summary=N_("once more"), run=run, topic="results", keeps=always
)
