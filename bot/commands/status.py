"""/status: the machine, and a job: its live card, moved to the end of the chat, or its result once more.

A live card is kept true by the bot itself, so whoever asks for one here must be allowed to see the job from here.
"""

import contextlib

from bot.cards.job import job_card, job_name, moved_card, state, state_in_sentence
from bot.cards.machine import machine_card
from bot.cards.result import ANSWERS, answers_card, result_card
from bot.cards.snapshot import Snapshot
from bot.core.call import Call
from bot.core.chat import Answer, post_pages
from bot.core.reply import Reply
from bot.dispatch.command import Command, Core
from bot.dispatch.job_reference import find_job
from bot.errors import AgentRefusedError, BadCallError, ChatError
from bot.following.results import collect_results
from bot.following.snapshot import take_snapshot
from bot.following.subscriptions import Subscription
from bot.words.format import flow
from shared.errors import ErrorCode
from shared.jobs import Job
from shared.language import N_, _, spoken


async def run(call: Call, core: Core, answer: Answer) -> None:
    """Show the machine, then the job; a job still going gets its live card here."""
    if call.arguments[1:] == (ANSWERS,):
        await _show_answers(call, core, answer)
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
    await answer.show(machine_card(info))
    if refusal:
        await call.chat.post(Reply(text="\n".join([f"{state(job)} · {job_name(job)}", *flow(refusal)])))
        return
    await _show_card(call, core, await take_snapshot(core.agent, job.id))


async def _refused_to_watch(core: Core, job: Job) -> str:
    """Ask the agent whether this person may watch the job from here; return its words if not."""
    try:
        await core.agent.events(job.id, limit=1)
    except AgentRefusedError as error:
        if error.code is not ErrorCode.not_allowed:
            raise
        return error.message
    return ""


async def _show_answers(call: Call, core: Core, answer: Answer) -> None:
    job = await find_job(core.agent, call.arguments[:1])
    refusal = await _refused_to_watch(core, job)
    if refusal:
        raise AgentRefusedError(refusal, code=ErrorCode.not_allowed)
    if job.result is None or not job.result.answers:
        raise BadCallError(_("{job} has no answers to show: {state}.", job=job_name(job), state=state_in_sentence(job)))
    await answer.show(answers_card(job, job.result))


async def _show_card(call: Call, core: Core, snapshot: Snapshot) -> None:
    if snapshot.finished and call.arguments:  # asked for by name: the whole result again, with its files
        outcome = await collect_results(core.agent, snapshot.job, call.chat.capabilities)
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
            language=spoken(),
            shown=card.text,
            asker=call.requested_by,
        )
    )
    if older is not None:
        with contextlib.suppress(ChatError):
            await call.chat.edit(older.message_id, moved_card(job_name(snapshot.job)))


COMMAND = Command(name="status", usage="[#n]", summary=N_("how it stands, now"), run=run)
