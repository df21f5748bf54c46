"""/plot: the loss plot as it is now, with its figures in words."""

from bot.cards.job import job_name
from bot.core.call import Call
from bot.core.chat import Answer
from bot.core.reply import Reply
from bot.dispatch.command import Command, Core
from bot.dispatch.job_reference import find_job
from bot.errors import BadCallError
from bot.following.results import plot_image
from shared.language import N_, _


async def run(call: Call, core: Core, answer: Answer) -> None:
    """Show the plot of a job."""
    job = await find_job(core.agent, call.arguments)
    image = await plot_image(core.agent, job, call.chat.capabilities)
    if image is None:
        raise BadCallError(_("{job} has nothing to plot yet: it has not finished a step.", job=job_name(job)))
    await answer.show(
        Reply(
            title=_("Loss · {job}", job=job_name(job)),
            image=image,
            folder=f"{job.suffix}-{job.number}",
            again=f"/plot #{job.number}",
        )
    )


COMMAND = Command(name="plot", usage="[#n]", summary=N_("the loss as a picture"), run=run, topic="results")
