"""/status: the machine, and a job: its live card, moved to the end of the chat, or its result once more.

A live card is kept true by the bot itself, so whoever asks for one here must be allowed to see the job from here.
"""

import contextlib
from collections.abc import Awaitable, Callable

from bot.cards.details import AGAIN, SAVE, SLOWER, details_card
from bot.cards.job import DETAILS, job_card, job_name, moved_card, state_in_sentence, titled
from bot.cards.machine import machine_card
from bot.cards.result import ANSWERS, FILES, answers_card, files_card, result_card
from bot.cards.snapshot import Snapshot
from bot.core.call import Call
from bot.core.chat import Answer, post_pages
from bot.core.reply import Reply
from bot.dispatch.command import Command, Core
from bot.dispatch.job_reference import LOOKED_AT, find_job, is_theirs
from bot.errors import AgentRefusedError, BadCallError, ChatError
from bot.following.results import collect_results, plot_image
from bot.following.snapshot import take_snapshot
from bot.following.subscriptions import Subscription
from shared.errors import ErrorCode
from shared.jobs import FINISHED, Job, Steering
from shared.language import N_, _, best

Show = Callable[[Call, Core, Answer, Job], Awaitable[None]]


async def run(call: Call, core: Core, answer: Answer) -> None:
    """Show the machine, then the job; a job still going gets its live card here."""
    if call.arguments[1:] in SHOWS:
        job = await find_job(core.agent, call.arguments[:1])
        if refusal := await _refused_to_watch(core, job):
            raise AgentRefusedError(refusal, code=ErrorCode.not_allowed)
        await SHOWS[call.arguments[1:]](call, core, answer, job)
        return
    info = await core.agent.info()
    try:
        job = await find_job(core.agent, call.arguments)
    except BadCallError:
        if call.arguments:
            raise
        await answer.show(machine_card(info))
        return
    refusal = await _refused_to_watch(core, job)
    mine = [] if call.arguments else await _mine(call, core, besides=job)
    await answer.show(machine_card(info, mine=mine, now=core.clock.now()))
    if refusal:
        await call.chat.post(Reply(title=titled(job), summary=refusal))
        return
    await _show_card(call, core, await take_snapshot(core.agent, job.id))


async def _mine(call: Call, core: Core, *, besides: Job) -> list[Job]:
    """Return a person's jobs that have not ended, the oldest first, but for the one whose card follows."""
    jobs = [job for job in (await core.agent.jobs(limit=LOOKED_AT)).data if job.status not in FINISHED]
    return [job for job in reversed(jobs) if job.id != besides.id and is_theirs(job, call)]


async def _refused_to_watch(core: Core, job: Job) -> str:
    """Ask the agent whether this person may watch the job from here; return its words if not."""
    try:
        await core.agent.events(job.id, limit=1)
    except AgentRefusedError as error:
        if error.code is not ErrorCode.not_allowed:
            raise
        return error.message
    return ""


async def _show_details(call: Call, core: Core, answer: Answer, job: Job) -> None:
    if call.arguments[2:] == (AGAIN,):
        answer.take_over(call.message_id)
    plot = await plot_image(core.agent, job, call.chat.capabilities)
    snapshot = await take_snapshot(core.agent, job.id)
    await answer.show(details_card(snapshot, plot, with_answers=call.private, now=core.clock.now()))


async def _send_files(call: Call, core: Core, answer: Answer, job: Job) -> None:
    if not job.result_files:
        raise BadCallError(_("{job} has no files: {state}.", job=job_name(job), state=state_in_sentence(job)))
    outcome = await collect_results(core.agent, job, call.chat.capabilities)
    await answer.show(files_card(job, outcome))


async def _show_answers(_call: Call, _core: Core, answer: Answer, job: Job) -> None:
    if job.result is None or not job.result.answers:
        raise BadCallError(_("{job} has no answers to show: {state}.", job=job_name(job), state=state_in_sentence(job)))
    await answer.show(answers_card(job, job.result))


async def _show_card(call: Call, core: Core, snapshot: Snapshot) -> None:
    if snapshot.finished and call.arguments:  # asked for by name: the whole result again, with its files
        outcome = await collect_results(core.agent, snapshot.job, call.chat.capabilities, everything=False)
        await post_pages(call.chat, result_card(snapshot, outcome, with_answers=call.private))
        return
    card = job_card(snapshot, now=core.clock.now())
    older = core.subscriptions.find(call.platform, call.chat_id, snapshot.job.id)
    message_id = await call.chat.post(card)
    if snapshot.finished:
        return
    core.follow.watch(
        Subscription(
            platform=call.platform,
            chat_id=call.chat_id,
            job_id=snapshot.job.id,
            message_id=message_id,
            person=call.person,
            private=call.private,
            language=best(call.locale),
            shown=card.text,
            asker=call.requested_by,
        )
    )
    if older is not None:
        with contextlib.suppress(ChatError):
            await call.chat.edit(older.message_id, moved_card(job_name(snapshot.job)))


async def _slow_down(_call: Call, core: Core, answer: Answer, job: Job) -> None:
    await core.agent.steer(job.id, Steering.slow_down)
    await answer.show(
        Reply(summary=_("{job} goes on at half its learning rate from the next step.", job=job_name(job)))
    )


async def _save_now(_call: Call, core: Core, answer: Answer, job: Job) -> None:
    await core.agent.steer(job.id, Steering.checkpoint)
    await answer.show(Reply(summary=_("{job} saves its place with the next step.", job=job_name(job))))


SHOWS: dict[tuple[str, ...], Show] = {
    (ANSWERS,): _show_answers,
    (DETAILS,): _show_details,
    (DETAILS, AGAIN): _show_details,
    (FILES,): _send_files,
    (SLOWER,): _slow_down,
    (SAVE,): _save_now,
}

COMMAND = Command(name="status", usage="[#n]", summary=N_("how it stands, now"), run=run)
