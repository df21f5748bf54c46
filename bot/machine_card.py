"""The machine that the agent runs on: whether it is free, its memory, its disk, what its owner should see to. Pure."""

from bot.format import mebibytes, one_line, plural, wrap
from bot.reply import Reply
from shared.machine import AgentInfo


def machine_card(info: AgentInfo) -> Reply:
    """Return the card of the machine."""
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
