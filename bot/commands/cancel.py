"""/cancel: asks once, then stops the job."""

from bot.call import Call
from bot.card import job_name, state
from bot.chat import Answer
from bot.core import Command, Core
from bot.errors import BadCallError
from bot.format import wrap
from bot.reply import Button, Reply
from bot.which import find_job
from shared.jobs import FINISHED, Job

CONFIRMED = "yes"
DECLINED = "no"


async def run(call: Call, core: Core, answer: Answer) -> None:
    """Ask, or do what the answer to the question says."""
    job = await find_job(core.agent, call.arguments[:1])
    if job.status in FINISHED:
        raise BadCallError(f"{job_name(job)} has ended already: {state(job).lower()}. There is nothing to cancel.")
    said = call.arguments[1:2]
    if said:
        answer.take_over(call.message_id)
    if said == (CONFIRMED,):
        await core.agent.cancel(job.id, call.requested_by)
        await answer.show(Reply(text=f"Cancelling {job_name(job)} …\nIts card says when it has stopped."))
    elif said == (DECLINED,):
        await answer.show(Reply(text=f"{job_name(job)} goes on."))
    else:
        await answer.show(_question(job))


def _question(job: Job) -> Reply:
    step = job.progress.step if job.progress else 0
    loss = f"What it learned in {step} steps is kept." if step else "It has not learned anything yet."
    return Reply(
        text="\n".join([f"Cancel {job_name(job)}?", *wrap(loss)]),
        buttons=(
            Button(label="Yes, cancel", line=f"/cancel #{job.number} {CONFIRMED}"),
            Button(label="Let it go on", line=f"/cancel #{job.number} {DECLINED}"),
        ),
    )


COMMAND = Command(name="cancel", usage="[#n]", summary="stop a job", run=run)
