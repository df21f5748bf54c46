"""/finetune: a file becomes a plan card, and its Start a job with a live card."""

import asyncio
import re
from collections.abc import AsyncIterator
from importlib.resources import files

from bot.call import Attachment, Call
from bot.card import job_card
from bot.chat import Answer
from bot.core import Command, Core
from bot.errors import BadCallError
from bot.format import clip, one_line, safe_file_name, size, wrap
from bot.options import Options, read_options
from bot.plan_card import change_card, forgotten_card, plan_card
from bot.reply import Reply
from bot.snapshot import take_snapshot
from bot.subscriptions import Subscription
from shared.errors import HearthError
from shared.files import FileObject
from shared.hyperparameters import Method, Supervised
from shared.inspections import Inspection, InspectionRequest
from shared.plans import PlanRequest

SAMPLE = "toast.jsonl"
CHUNK_BYTES = 1 << 18


async def run(call: Call, core: Core, answer: Answer) -> None:
    """Go where the options point: start, change or forget a plan, else make one of a file."""
    options = read_options(call.arguments, now=core.clock.now() if call.asked_at is None else call.asked_at)
    if options.plan:
        await _start(call, core, answer, options.plan, options.at)
    elif options.change:
        await answer.show(change_card(await core.agent.offered_plan(options.change), at=options.at))
    elif options.forget:
        plan = await core.agent.offered_plan(options.forget)
        answer.take_over(call.message_id)
        await answer.show(forgotten_card(plan, at=options.at))
    else:
        await _propose(call, core, answer, options)


async def _propose(call: Call, core: Core, answer: Answer, options: Options) -> None:
    attachment = _attachment(call, options)
    if attachment is not None:
        await answer.show(_reading(attachment.name, attachment.size))
        file = await _upload(call, core, attachment)
    else:
        file = await core.agent.file(options.file or "")
        await answer.show(_reading(file.filename, file.bytes))
    inspection = await _inspect(call, core, options, file)
    plan = await core.agent.plan(
        PlanRequest(
            model=options.model,
            training_file=file.id,
            method=Method(supervised=Supervised(hyperparameters=options.hyperparameters)),
            suffix=options.name,
            seed=options.seed,
            requested_by=call.requested_by,
        )
    )
    await answer.show(plan_card(file.filename, inspection, plan, at=options.at, now=core.clock.now()))


async def _start(call: Call, core: Core, answer: Answer, plan_id: str, at: int | None) -> None:
    job = await core.agent.start(plan_id, call.requested_by, start_at=at)
    card = job_card(await take_snapshot(core.agent, job.id), now=core.clock.now())
    answer.take_over(call.message_id)
    message_id = await answer.show(card)
    core.follow.watch(
        Subscription(
            platform=call.platform,
            chat_id=call.chat_id,
            job_id=job.id,
            message_id=message_id,
            person=call.person,
            shown=card.text,
        )
    )


def _changes_something(arguments: tuple[str, ...]) -> bool:
    """Say whether this is more than a look at a plan."""
    return not any(re.match(r"(?i)(change|forget)[:=]", argument) for argument in arguments)


def _attachment(call: Call, options: Options) -> Attachment | None:
    """Return the file to send, or None if one on the agent was named."""
    if len(call.attachments) > 1:
        names = ", ".join(one_line(attachment.name) for attachment in call.attachments)
        raise BadCallError(f"One dataset at a time, please; these are {len(call.attachments)}: {names}.")
    unknown = [word for word in options.words if word != "sample"]
    if unknown:
        raise BadCallError(f"I cannot read “{clip(one_line(unknown[0]), 40)}”. Options look like epochs:3.")
    if call.attachments:
        return call.attachments[0]
    if "sample" in options.words:
        return _sample()
    if options.file:
        return None
    raise BadCallError("Which file? Send your dataset along with /finetune. To see it work first: /finetune sample")


async def _upload(call: Call, core: Core, attachment: Attachment) -> FileObject:
    limit = (await core.agent.info()).file_size_limit
    if attachment.size is not None and attachment.size > limit:
        raise BadCallError(
            f"{one_line(attachment.name)} has {size(attachment.size)}; the agent takes files up to {size(limit)}. "
            "Send fewer rows: the first few thousand teach the most."
        )
    return await core.agent.upload(attachment, call.requested_by)


async def _inspect(call: Call, core: Core, options: Options, file: FileObject) -> Inspection:
    request = InspectionRequest(model=options.model, requested_by=call.requested_by)
    inspection = await core.agent.inspect(file.id, request)
    while inspection.status == "running":
        inspection = await core.agent.inspection(inspection.id)
    if inspection.error is not None:
        raise HearthError(inspection.error.message, code=inspection.error.code)
    return inspection


def _reading(name: str, byte_count: int | None) -> Reply:
    return Reply(text="\n".join(wrap(f"Reading {clip(one_line(name), 60)} ({size(byte_count)}) …")))


def _sample() -> Attachment:
    path = files("shared") / "samples" / SAMPLE
    content = path.read_bytes()

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(content), CHUNK_BYTES):
            yield content[start : start + CHUNK_BYTES]
            await asyncio.sleep(0)

    return Attachment(name=safe_file_name(SAMPLE), size=len(content), open=chunks, reference="sample")


COMMAND = Command(
    name="finetune",
    usage="FILE",
    summary="teach a model your file",
    run=run,
    takes_file=True,
    keeps=_changes_something,
)
