"""/finetune: a file becomes a plan card, and its Start a job with a live card."""

import re
from dataclasses import replace

from bot.agent_api.dataset_upload import inspect, only_file, reading, sample, taken_up, upload
from bot.cards.findings import heeded
from bot.cards.job import job_card
from bot.cards.plan import does_not_fit_card, forgotten_card
from bot.cards.question import question_card
from bot.commands.plan_changes import as_the_plan, change_plan, offered, show_plan
from bot.core.call import Attachment, Call
from bot.core.chat import Answer
from bot.dispatch.command import Command, Core
from bot.dispatch.job_reference import find_job
from bot.dispatch.model_reference import find_model
from bot.dispatch.owner_approval import ask_for_yes
from bot.errors import AgentRefusedError, BadCallError
from bot.following.snapshot import take_snapshot
from bot.following.subscriptions import Subscription
from bot.words.arguments import split_words
from bot.words.format import clip, one_line
from bot.words.mapping import READING, combined, write_character
from bot.words.option_lines import write_again, write_options
from bot.words.option_names import DEFAULT_MODEL
from bot.words.option_words import option_words
from bot.words.options import Options, read_options
from shared.errors import ErrorCode
from shared.files import FileObject
from shared.jobs import Job
from shared.language import N_, _, best


async def run(call: Call, core: Core, answer: Answer) -> None:
    """Go where the options point: start, change or forget a plan, else make one of a file."""
    call = replace(call, arguments=option_words(call.arguments))
    options = read_options(call.arguments, now=core.clock.now() if call.asked_at is None else call.asked_at)
    if options.plan:
        await _start(call, core, answer, options.plan, options.at)
    elif (options.look or options.change) and call.attachments:
        await _propose(call, core, answer, await as_the_plan(call, core, options))
    elif options.look or options.change:
        await change_plan(call, core, answer, options)
    elif options.forget:
        offer = offered(call, core, options.forget, options)
        plan = await core.agent.offered_plan(offer.plan)
        offer.refuse_unless_mine()
        core.offers.close(plan.id)
        answer.take_over(call.message_id)
        await answer.show(forgotten_card(plan, at=offer.at))
    else:
        await _propose(call, core, answer, options)


async def _propose(call: Call, core: Core, answer: Answer, options: Options) -> None:
    question = (options.of or "").partition(".")[0]
    if options.of:
        options = await _answered(call, core, answer, options)
    options = replace(options, model=await find_model(core.agent, options.model))
    job = await find_job(core.agent, (options.like,)) if options.like else None
    attachment = _attachment(call, options, sent_before=job is not None)
    if attachment is not None:
        file = await upload(core.agent, attachment, answer)
    else:
        file = await core.agent.file(options.file or (job.training_file if job is not None else ""))
        await answer.show(reading(file.filename, file.bytes))
    if job is not None:
        options = _filled(options, job, file)
    try:
        await _plan(call, core, answer, options, file, question)
    except AgentRefusedError as error:
        if error.alternatives:
            too_short = error.code is ErrorCode.setting_invalid
            card = does_not_fit_card(
                file.filename, error.message, error.alternatives, at=options.at, too_short=too_short
            )
            await answer.show(card)
            return
        if error.code is not ErrorCode.model_needs_approval:
            raise
        model = options.model or DEFAULT_MODEL
        await ask_for_yes(call, core, answer, model=model, line=write_again(options, file.id))


async def _plan(call: Call, core: Core, answer: Answer, options: Options, file: FileObject, answers: str) -> None:
    model = options.model or DEFAULT_MODEL
    said = (*write_character(options.mapping), write_options(options) or f"model:{model}")
    note = " ".join(said)  # never empty: it says that a plan was asked for
    inspection = await inspect(core.agent, file, model=model, mapping=options.mapping, note=note, answer=answer)
    if inspection.question is not None:
        core.offers.make(call, inspection.id, at=options.at, now=core.clock.now(), answers=answers)
        await answer.show(
            question_card(file, inspection, ask="/finetune of:", with_rows=call.private, private=call.private)
        )
        return
    plan = await (
        core.agent.plan_again(options.like, options.changes(file.id))
        if options.like
        else core.agent.plan(options.request(file.id, inspection.method))
    )
    ref = core.offers.make(call, plan.id, at=options.at, now=core.clock.now(), answers=answers)
    inspection = heeded(inspection, core.ignored.of(call, file.sha256))
    await show_plan(core, answer, file, inspection, plan, ref, at=options.at)


def _filled(options: Options, job: Job, file: FileObject) -> Options:
    """Return what was said, with the model of the job that it is to be like, and how that reads the same file."""
    mapping = job.mapping if file.id == job.training_file else None
    mapping = combined(options.mapping, mapping)
    return replace(options, like=job.id, model=options.model or job.model, mapping=mapping)


async def _answered(call: Call, core: Core, answer: Answer, options: Options) -> Options:
    """Return what was asked for before a question came between, with its answer and what is typed now."""
    inspection, mapping = await taken_up(core.agent, options.of or "")
    if inspection.question is not None:
        answer.take_over(call.message_id)
    typed = (word for word in call.arguments if not re.match(r"(?i)of[:=]", word))
    noted = split_words(inspection.note or "")
    known = combined(read_options(noted, now=core.clock.now()).mapping, mapping)
    plain = (word for word in (*noted, *typed) if not _says_how_to_read(word))
    again = read_options((f"file:{inspection.file_id}", *plain), now=core.clock.now())
    return replace(again, mapping=combined(options.mapping, known))


async def _start(call: Call, core: Core, answer: Answer, plan_id: str, at: int | None) -> None:
    job = await core.agent.start(plan_id, start_at=at)
    core.offers.close(plan_id)
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
            private=call.private,
            language=best(call.locale),
            shown=card.text,
            asker=call.requested_by,
        )
    )


def _says_how_to_read(word: str) -> bool:
    return re.match(rf"(?i)({'|'.join(READING)})[:=]", word) is not None


def _changes_something(arguments: tuple[str, ...]) -> bool:
    """Say whether this is more than a look at a plan."""
    return not any(re.match(r"(?i)(look|change|forget|character_of)[:=]", argument) for argument in arguments)


def _attachment(call: Call, options: Options, *, sent_before: bool) -> Attachment | None:
    """Return the file to send, or None if one on the agent is meant."""
    attached = only_file(call)
    unknown = [word for word in options.words if word != "sample"]
    if unknown:
        raise BadCallError(
            _("I cannot read “{word}”. Options look like epochs:3.", word=clip(one_line(unknown[0]), 40))
        )
    if attached is not None:
        return attached
    if "sample" in options.words:
        return sample()
    if options.file or sent_before:
        return None
    raise BadCallError(_("Which file? Send your dataset along with /finetune. To see it work first: /finetune sample"))


COMMAND = Command(
    name="finetune",
    usage="FILE",
    summary=N_("teach a model your file"),
    run=run,
    takes_file=True,
    keeps=_changes_something,
)
