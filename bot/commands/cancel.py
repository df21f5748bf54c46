"""/cancel: asks once, then stops the job."""

from bot.cards.job import job_name, state_in_sentence
from bot.cards.queued import KEPT, forgotten_request
from bot.core.call import Call
from bot.core.chat import Answer
from bot.core.reply import Button, Reply, Tone, Weight
from bot.dispatch.command import Command, Core
from bot.dispatch.job_reference import find_job
from bot.dispatch.ownership import refuse_unless_theirs
from bot.errors import AgentUnreachableError, BadCallError
from shared.jobs import FINISHED, Job, JobStatus, Stage, Steering
from shared.language import N_, _, ngettext

CONFIRMED = "yes"
DECLINED = "no"
KEEPING = {"keep": Steering.finish, "keep-epoch": Steering.finish_epoch}  # end it early, with a model


async def run(call: Call, core: Core, answer: Answer) -> None:
    """Ask, or do what the answer to the question says. What waits for the agent is taken back without asking."""
    wanted, said = call.arguments[:1], call.arguments[1:2]
    if wanted and wanted[0].startswith(KEPT):
        answer.take_over(call.message_id)
        await answer.show(forgotten_request(_take_back(call, core, wanted[0].removeprefix(KEPT))))
        return
    try:
        job = await find_job(core.agent, wanted)
    except AgentUnreachableError as error:
        if said or not wanted:
            raise
        await answer.show(_question(wanted[0], wanted[0], error.message))
        return
    if job.status is JobStatus.cancelled and said == (CONFIRMED,):  # asked for twice, or sent once more
        await answer.show(Reply(summary=_("{job} is stopped.", job=job_name(job))))
        return
    if job.status in FINISHED:
        raise BadCallError(
            _(
                "{job} has ended already: {state}. There is nothing to stop.",
                job=job_name(job),
                state=state_in_sentence(job),
            )
        )
    if said != (CONFIRMED,):
        await refuse_unless_theirs(call, core, job)
    if said:
        answer.take_over(call.message_id)
    if said == (CONFIRMED,):
        await core.agent.cancel(job.id)
        await answer.show(Reply(summary=_("Stopping {job} …\nIts card says when it has stopped.", job=job_name(job))))
    elif said and said[0] in KEEPING:
        await core.agent.steer(job.id, KEEPING[said[0]])
        await answer.show(Reply(summary=_soon_a_model(job, KEEPING[said[0]])))
    elif said == (DECLINED,):
        await answer.show(Reply(summary=_("{job} goes on.", job=job_name(job))))
    else:
        step = job.progress.step if job.progress else 0
        loss = (
            ngettext("What it learned in {n} step is kept.", "What it learned in {n} steps is kept.", step)
            if step
            else _("It has not learned anything yet.")
        )
        trains = job.stage is Stage.train and job.status is JobStatus.running and step > 0
        keep = _("“Keep the best” ends it too, and makes a model of its best weights: now, or after this epoch.")
        explained = f"{loss}\n{keep}" if trains else loss
        await answer.show(_question(f"#{job.number}", job_name(job), explained, trains=trains))


def _soon_a_model(job: Job, what: Steering) -> str:
    if what is Steering.finish:
        return _("{job} ends with its next step. A model is made of the best weights so far.", job=job_name(job))
    return _("{job} ends after this epoch. A model is made of its best weights.", job=job_name(job))


def _question(reference: str, name: str, explained: str, *, trains: bool = False) -> Reply:
    keeping = (
        Button(label=_("Keep the best"), line=f"/cancel {reference} keep"),
        Button(label=_("After this epoch"), line=f"/cancel {reference} keep-epoch"),
    )
    return Reply(
        title=_("Stop {name}?", name=name),
        tone=Tone.trouble,
        summary=explained,
        buttons=(
            Button(label=_("Yes, stop it"), line=f"/cancel {reference} {CONFIRMED}", weight=Weight.danger),
            *(keeping if trains else ()),
            Button(label=_("Let it go on"), line=f"/cancel {reference} {DECLINED}"),
        ),
    )


def _take_back(call: Call, core: Core, number: str) -> str:
    """Forget a kept request of this chat; return its command."""
    for request in core.requests.waiting():
        if str(request.id) == number and (request.platform, request.chat_id) == (call.platform, call.chat_id):
            core.requests.strike_out(request.id)
            return request.command
    raise BadCallError(_("That is not waiting any more: it is being sent, or was answered."))


def _confirmed(arguments: tuple[str, ...]) -> bool:
    return arguments[1:2] == (CONFIRMED,)


COMMAND = Command(name="cancel", usage="[#n]", summary=N_("stop a job"), run=run, keeps=_confirmed, stops=True)
