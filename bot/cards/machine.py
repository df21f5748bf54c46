"""The machine that the agent runs on: whether it is free, its memory, its disk, what its owner should see to. Pure."""

from bot.cards.unused import unused_lines
from bot.core.reply import Reply
from bot.words.format import flow, mebibytes, one_line
from shared.files import UnusedDatasets
from shared.language import _, ngettext
from shared.machine import AgentInfo


def machine_card(info: AgentInfo, *, unused: UnusedDatasets | None = None) -> Reply:
    """Return the card of the machine; `unused`: what whoever asks may have removed."""
    busy = _("Paused") if info.paused else _("Busy with a job") if info.running_job else _("Free")
    waiting = ngettext(", {n} job waiting", ", {n} jobs waiting", info.queued_jobs) if info.queued_jobs else ""
    lines = [
        f"{busy}{waiting}",
        *([_("Nothing starts until /resume.")] if info.paused else []),
        *(_("#{number} answers a question", number=worker.task.job_number) for worker in info.workers if worker.task),
        *flow(one_line(info.device), rest="  "),
        _(
            "{memory_kind} free: {free} of {total}",
            memory_kind=info.memory_kind,
            free=mebibytes(info.memory_free_mib),
            total=mebibytes(info.memory_total_mib),
        ),
        _("Disk free: {free}", free=mebibytes(info.disk_free_mib)),
        *(unused_lines(unused) if unused is not None else []),
    ]
    for warning in info.warnings:
        lines += flow(one_line(warning), first="! ", rest="  ")
    return Reply(text="\n".join(lines))
