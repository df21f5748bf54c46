"""/dataset: a file is sent and what was understood shown, without a plan; alone, the datasets that are there."""

import re

from bot.agent_api.dataset_upload import inspect, only_file, taken_up, upload
from bot.cards.dataset import REPORT, ROW, dataset_card, forms_card, report_card, row_card
from bot.cards.findings import FIX, IGNORE, UNIGNORE, advice_shown, heeded
from bot.cards.question import question_card
from bot.core.blocks import Items
from bot.core.call import Call
from bot.core.chat import Answer
from bot.core.reply import Button, Image, Reply
from bot.dispatch.command import Command, Core
from bot.errors import BadCallError
from bot.following.results import bytes_file
from bot.words.format import clip, clock_time, one_line, safe_file_name, size
from bot.words.option_names import DEFAULT_MODEL
from shared.files import FileObject, FixedFile, FixRequest
from shared.inspections import Fix, Inspection
from shared.language import N_, _
from shared.mapping import Mapping

HELP = "help"
SHOWN = 9
_READ = re.compile(r"file-[\w-]{1,59}|insp-[\w-]{1,59}(\.\d{1,3})?")  # .2: an answer to what was asked
_INSPECTION = re.compile(r"insp-[\w-]{1,59}")


async def run(call: Call, core: Core, answer: Answer) -> None:
    """Show a file that was sent, or is named; else list what is there, or explain the forms."""
    if call.arguments == (HELP,):
        await answer.show(forms_card())
        return
    attachment = only_file(call)
    if attachment is not None:
        await _show(call, core, answer, await upload(core.agent, attachment, answer))
    elif (fix := _fix(call.arguments)) is not None:
        file_id, mapping, note = await _named(core, answer, call)
        fixed = await core.agent.fix(file_id, FixRequest(model=DEFAULT_MODEL, fixes=(fix,), mapping=mapping))
        answer.take_over(call.message_id)
        await _show(call, core, answer, fixed.file, note=note, fixed=fixed)
    elif call.arguments[1:] == (REPORT,) and _INSPECTION.fullmatch(call.arguments[0]):
        await _send_report(core, answer, call.arguments[0])
    elif call.arguments:
        if not _READ.fullmatch(call.arguments[0]) or call.arguments[1:] not in ((), (ROW,), (IGNORE,), (UNIGNORE,)):
            raise BadCallError(
                _(
                    "I cannot read “{arguments}”. Send a file along with /dataset, or type it alone to see "
                    "what is there. /dataset help shows the forms.",
                    arguments=clip(one_line(" ".join(call.arguments)), 30),
                )
            )
        file_id, mapping, note = await _named(core, answer, call)
        await _show(call, core, answer, await core.agent.file(file_id), mapping, note=note)
    else:
        await answer.show(_list(await _sent(core), now=core.clock.now()))


def _fix(arguments: tuple[str, ...]) -> Fix | None:
    """Return which fix a line asks for, or None if it asks for none that there is."""
    if len(arguments) != 2 or not _READ.fullmatch(arguments[0]) or not arguments[1].startswith(FIX):
        return None
    name = arguments[1].removeprefix(FIX)
    return Fix(name) if name in list(Fix) else None


async def _named(core: Core, answer: Answer, call: Call) -> tuple[str, Mapping | None, str]:
    """Return which file a line names, how it is to be read, and what /finetune was asked before, if it was.

    An answer is given in the message that asked.
    """
    named = call.arguments[0]
    if named.startswith("file-"):
        return named, None, ""
    inspection, mapping = await taken_up(core.agent, named)
    if "." in named:
        answer.take_over(call.message_id)
    return inspection.file_id, mapping, inspection.note or ""


async def _show(
    call: Call,
    core: Core,
    answer: Answer,
    file: FileObject,
    mapping: Mapping | None = None,
    *,
    note: str = "",
    fixed: FixedFile | None = None,
) -> None:
    if call.arguments[1:] in ((IGNORE,), (UNIGNORE,)):
        answer.take_over(call.message_id)
    inspection = await inspect(core.agent, file, model=DEFAULT_MODEL, mapping=mapping, note=note, answer=answer)
    asks_for_row = call.arguments[1:] == (ROW,)
    with_row = call.private or asks_for_row
    if inspection.question is not None:
        core.offers.make(call, inspection.id, at=None, now=core.clock.now())
        await answer.show(
            question_card(
                file,
                inspection,
                ask="/finetune of:" if note else "/dataset ",
                with_rows=with_row,
                private=call.private,
            )
        )
        return
    if asks_for_row and inspection.sample is not None:
        await answer.show(row_card(file, inspection.sample))
        return
    _heed(call, core, file, inspection)
    ignored = core.ignored.of(call, file.sha256)
    await answer.show(dataset_card(file, inspection, with_row=with_row, fixed=fixed, ignored=ignored))


def _heed(call: Call, core: Core, file: FileObject, inspection: Inspection) -> None:
    """Ignore the advice that a person saw and has had enough of, or show all of it again, if they said so."""
    if call.arguments[1:] == (IGNORE,):
        seen = heeded(inspection, core.ignored.of(call, file.sha256))
        core.ignored.add(call, file.sha256, advice_shown(seen))
    elif call.arguments[1:] == (UNIGNORE,):
        core.ignored.forget(call, file.sha256)


async def _send_report(core: Core, answer: Answer, inspection_id: str) -> None:
    inspection = await core.agent.inspection(inspection_id, wait_s=0)
    file = await core.agent.file(inspection.file_id)
    report = await core.agent.report(inspection_id)
    name = safe_file_name(file.filename).split(".")[0]
    picture = Image(file=bytes_file(f"{name}-lengths.png", report.png), alt_text=report.alt_text)
    await answer.show(report_card(inspection, file, bytes_file(f"{name}-report.html", report.html), picture))


async def _sent(core: Core) -> list[FileObject]:
    return (await core.agent.datasets(limit=SHOWN)).data[:SHOWN]


def _list(sent: list[FileObject], *, now: float) -> Reply:
    if not sent:
        return Reply(
            summary=_("No dataset was sent yet.\nSend one along with /dataset.\n/dataset help: what it looks like")
        )
    below = tuple(f"{size(file.bytes)}, {clock_time(file.created_at, now=now, zone=False)}" for file in sent)
    names = tuple(clip(one_line(file.filename), 60) for file in sent)
    buttons = [
        Button(label=clip(f"{number}. {one_line(file.filename)}", 20), line=f"/dataset {file.id}")
        for number, file in enumerate(sent, 1)
    ]
    return Reply(
        title=_("Datasets, newest first"),
        blocks=(Items(items=names, below=below, numbered=True),),
        buttons=tuple(buttons),
    )


def _makes_a_file(arguments: tuple[str, ...]) -> bool:
    return not arguments or _fix(arguments) is not None


COMMAND = Command(
    name="dataset", usage="[FILE]", summary=N_("look at your data"), run=run, takes_file=True, keeps=_makes_a_file
)
