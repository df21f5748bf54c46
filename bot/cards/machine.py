"""The machine that the agent runs on: whether it is free, its memory, its disk, what its owner should see to. Pure."""

from collections.abc import Sequence

from bot.cards.job import job_line
from bot.cards.unused import unused_lines
from bot.core.blocks import Fields, Items, Words
from bot.core.reply import Reply, Tone
from bot.words.format import mebibytes, one_line
from shared.files import UnusedDatasets
from shared.jobs import Job
from shared.language import _, ngettext
from shared.machine import AgentInfo


def machine_card(
    info: AgentInfo, *, unused: UnusedDatasets | None = None, mine: Sequence[Job] = (), now: float = 0.0
) -> Reply:
    """Return the card of the machine; `unused`: what whoever asks may have removed, `mine`: their jobs that go on."""
    busy = _("Paused") if info.paused else _("Busy with a job") if info.running_job else _("Free")
    waiting = ngettext(", {n} job waiting", ", {n} jobs waiting", info.queued_jobs) if info.queued_jobs else ""
    asked = [_("#{number} answers a question", number=it.task.job_number) for it in info.workers if it.task]
    paused = [_("Nothing starts until /resume.")] if info.paused else []
    free = _("{free} of {total}", free=mebibytes(info.memory_free_mib), total=mebibytes(info.memory_total_mib))
    notes = [*(unused_lines(unused) if unused is not None else []), *(f"! {one_line(it)}" for it in info.warnings)]
    return Reply(
        title=f"{busy}{waiting}",
        tone=Tone.trouble if info.warnings else Tone.waiting if info.paused else Tone.plain,
        summary="\n".join([*paused, *asked, one_line(info.device)]),
        blocks=(
            Fields(
                fields=(
                    (_("{memory_kind} free", memory_kind=info.memory_kind), free),
                    (_("Disk free"), mebibytes(info.disk_free_mib)),
                )
            ),
            *([Items(heading=_("Yours"), items=tuple(job_line(job, now=now) for job in mine))] if mine else []),
            *([Words(text="\n".join(notes))] if notes else []),
        ),
    )
