"""/status: the machine, and a job: its live card, moved to the end of the chat, or its result once more."""

import contextlib

from bot.call import Call
from bot.card import job_card, job_name, moved_card
from bot.chat import Answer, post_pages
from bot.core import Command, Core
from bot.errors import BadCallError, ChatError
from bot.format import mebibytes, one_line, plural, wrap
from bot.reply import Reply
from bot.result_card import result_card
from bot.results import collect_results
from bot.snapshot import Snapshot, take_snapshot
from bot.subscriptions import Subscription
from bot.which import find_job
from shared.machine import AgentInfo


async def run(call: Call, core: Core, answer: Answer) -> None:
    """Show the machine, then the job; a job still going gets its live card here."""
    info = await core.agent.info()
    try:
        job = await find_job(core.agent, call.arguments)
    except BadCallError:
        if call.arguments:
            raise
        await answer.show(_machine(info))
        return
    snapshot = await take_snapshot(core.agent, job.id)
    await answer.show(_machine(info))
    await _show_card(call, core, snapshot)


async def _show_card(call: Call, core: Core, snapshot: Snapshot) -> None:
    if snapshot.finished and call.arguments:  # asked for by name: the whole result again, with its files
        outcome = await collect_results(core.agent, snapshot.job, call.chat.capabilities)
        await post_pages(call.chat, result_card(snapshot, outcome))
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
            shown=card.text,
        )
    )
    if older is not None:
        with contextlib.suppress(ChatError):
            await call.chat.edit(older.message_id, moved_card(job_name(snapshot.job)))


def _machine(info: AgentInfo) -> Reply:
    busy = "Paused" if info.paused else "Busy with a job" if info.running_job else "Free"
    waiting = f", {plural(info.queued_jobs, 'job')} waiting" if info.queued_jobs else ""
    lines = [
        f"{busy}{waiting}",
        *(["Nothing starts until /resume."] if info.paused else []),
        *wrap(one_line(info.device), rest="  "),
        f"{info.memory_kind} free: {mebibytes(info.memory_free_mib)} of {mebibytes(info.memory_total_mib)}",
        f"Disk free: {mebibytes(info.disk_free_mib)}",
    ]
    for warning in info.warnings:
        lines += wrap(one_line(warning), first="! ", rest="  ")
    return Reply(text="\n".join(lines))


COMMAND = Command(name="status", usage="[#n]", summary="how it stands, now", run=run)
