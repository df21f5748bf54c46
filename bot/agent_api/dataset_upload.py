"""A file on its way into the agent: checked by its size, streamed through, read as a model will see it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from importlib.resources import files

from bot.agent_api.client import AgentClient
from bot.core.blocks import Bar
from bot.core.call import Attachment, Call
from bot.core.chat import Answer
from bot.core.reply import Reply
from bot.errors import BadCallError, ChatError
from bot.words.format import clip, one_line, percent, safe_file_name, size
from shared.errors import HearthError
from shared.files import FileObject
from shared.inspections import Inspection, InspectionRequest, ReadingProgress
from shared.language import _, ngettext
from shared.mapping import Mapping

SAMPLE = "toast.jsonl"
CHUNK_BYTES = 1 << 18
LOOK_S = 4  # between two looks at how far a file is read


def only_file(call: Call) -> Attachment | None:
    """Return the file that came with a call, if any; raise BadCallError for several."""
    if len(call.attachments) > 1:
        names = ", ".join(one_line(attachment.name) for attachment in call.attachments)
        raise BadCallError(
            _("One dataset at a time, please; these are {count}: {names}.", count=len(call.attachments), names=names)
        )
    return call.attachments[0] if call.attachments else None


async def upload(agent: AgentClient, attachment: Attachment, answer: Answer | None = None) -> FileObject:
    """Send a file, and say so in `answer`; what may not be sent, or is too large, is refused before a word is said."""
    limit = (await agent.info()).file_size_limit
    if attachment.size is not None and attachment.size > limit:
        raise BadCallError(
            _(
                "{name} has {size}; the agent takes files up to {limit}. Send fewer rows: the first few "
                "thousand teach the most.",
                name=one_line(attachment.name),
                size=size(attachment.size),
                limit=size(limit),
            )
        )
    if answer is not None:
        await answer.show(reading(attachment.name, attachment.size))
    return await agent.upload(attachment)


async def inspect(
    agent: AgentClient,
    file: FileObject,
    *,
    model: str,
    mapping: Mapping | None = None,
    note: str = "",
    answer: Answer | None = None,
) -> Inspection:
    """Have a file read and wait for the end of it, which `answer` shows coming; raise what is wrong with it.

    `note` comes back with it, and with what is asked of a person.
    """
    wanted = InspectionRequest(model=model, mapping=mapping, note=note or None)
    inspection = await agent.inspect(file.id, wanted)
    while inspection.status == "running":
        inspection = await agent.inspection(inspection.id, wait_s=LOOK_S)
        if answer is not None and inspection.progress is not None:
            with contextlib.suppress(ChatError):  # a progress that is not seen is no reason to stop
                await answer.show(reading(file.filename, file.bytes, inspection.progress))
    if inspection.error is not None:
        raise HearthError(inspection.error.message, code=inspection.error.code)
    return inspection


async def taken_up(agent: AgentClient, named: str) -> tuple[Inspection, Mapping | None]:
    """Return an inspection that a line names, and how it says to read the file: as it was, or by its answer .2."""
    inspection_id, dot, place = named.partition(".")
    inspection = await agent.inspection(inspection_id, wait_s=0)
    if not dot:
        return inspection, inspection.mapping
    choices = inspection.question.choices if inspection.question is not None else []
    if not place.isdecimal() or int(place) >= len(choices):
        raise BadCallError(_("{named} answers nothing that I asked. Send the file once more.", named=one_line(named)))
    return inspection, choices[int(place)].mapping


def reading(name: str, byte_count: int | None, progress: ReadingProgress | None = None) -> Reply:
    """Return what is said while a file is read."""
    summary = _("Reading {name} ({size}) …", name=clip(one_line(name), 60), size=size(byte_count))
    if progress is None:
        return Reply(summary=summary)
    rows = ngettext("{n} row so far", "{n} rows so far", progress.rows)
    beside = f"{percent(progress.bytes, progress.of)} · {rows}"
    return Reply(summary=summary, blocks=(Bar(part=progress.bytes, whole=progress.of, beside=beside),))


def sample() -> Attachment:
    """Return the dataset that comes with the bot."""
    path = files("shared") / "samples" / SAMPLE
    content = path.read_bytes()

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(content), CHUNK_BYTES):
            yield content[start : start + CHUNK_BYTES]
            await asyncio.sleep(0)

    return Attachment(name=safe_file_name(SAMPLE), size=len(content), open=chunks, reference="sample")
