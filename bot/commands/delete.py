"""/delete: asks once, then removes what a finished job has left on the agent's machine; the dataset stays.

/delete unused: the same with datasets that nobody used for long.
"""

import hashlib

from bot.cards.job import job_name, state_in_sentence
from bot.cards.unused import unused_deleted, unused_question
from bot.commands.cancel import CONFIRMED, DECLINED
from bot.core.blocks import Note
from bot.core.call import Call
from bot.core.chat import Answer
from bot.core.reply import Button, Reply, Tone, Weight
from bot.dispatch.command import Command, Core
from bot.dispatch.job_reference import find_job
from bot.dispatch.ownership import refuse_unless_theirs
from bot.errors import AgentRefusedError, BadCallError
from bot.following.results import known_results
from bot.words.format import size
from shared.errors import ErrorCode
from shared.files import FileObject
from shared.jobs import FINISHED, Job
from shared.language import N_, _, ngettext

UNUSED = "unused"
GONE = (ErrorCode.not_found, ErrorCode.file_in_use)  # why one of several files is not deleted, which is no trouble


async def run(call: Call, core: Core, answer: Answer) -> None:
    """Ask, or do what the answer to the question says."""
    if not call.arguments:
        raise BadCallError(
            _("Of which job? As in /delete #3. /jobs lists them. /delete unused is for datasets of long ago.")
        )
    if call.arguments[0].lower() == UNUSED:
        await _run_unused(call, core, answer)
        return
    job, said = await find_job(core.agent, call.arguments[:1]), call.arguments[1:2]
    if said != (CONFIRMED,):
        await refuse_unless_theirs(call, core, job)
    if said == (DECLINED,):
        answer.take_over(call.message_id)
        await answer.show(Reply(summary=_("{job} keeps its files.", job=job_name(job))))
        return
    files = await _left(core, job)
    if said != (CONFIRMED,):
        await answer.show(_question(job, files))
        return
    for file in files:
        await core.agent.delete_file(file.id)
    answer.take_over(call.message_id)
    await answer.show(_deleted(job, files))


async def _run_unused(call: Call, core: Core, answer: Answer) -> None:
    """Ask, naming the files, or do what the answer says, which is to the files that were named and no others."""
    found = await core.agent.unused_datasets()
    said, named, now = call.arguments[1:2], call.arguments[2:3], _fingerprint(found.data)
    if said and named == (now,):
        answer.take_over(call.message_id)
    if said == (DECLINED,):
        await answer.show(Reply(summary=_("They stay.")))
    elif not found.data and named:  # asked for twice, or sent once more
        await answer.show(Reply(summary=_("None of them is unused any more, so nothing was deleted.")))
    elif not found.data:
        raise BadCallError(_nothing_unused(call, days=found.days))
    elif said == (CONFIRMED,) and named == (now,):
        await answer.show(unused_deleted([file for file in found.data if await _delete(core, file)]))
    else:
        yes, no = (f"/delete {UNUSED} {word} {now}" for word in (CONFIRMED, DECLINED))
        await answer.show(unused_question(found, yes=yes, no=no))


def _fingerprint(files: list[FileObject]) -> str:
    """Return what tells these files from any others, and fits into a button."""
    return hashlib.sha256(" ".join(sorted(file.id for file in files)).encode()).hexdigest()[:16]


def _nothing_unused(call: Call, *, days: int) -> str:
    if call.private:
        return _("No dataset was left unused for {days} days, so there is none to delete.", days=days)
    return _(
        "No dataset that was sent here was left unused for {days} days. Where others read along, I look at no others.",
        days=days,
    )


async def _delete(core: Core, file: FileObject) -> bool:
    """Delete a file; say whether it is this request that did it."""
    try:
        await core.agent.delete_file(file.id)
    except AgentRefusedError as error:
        if error.code not in GONE:
            raise
        return False
    return True


async def _left(core: Core, job: Job) -> list[FileObject]:
    if job.status not in FINISHED:
        raise BadCallError(
            _("{job} has not ended: {state}. /cancel #{number} stops it.",
              job=job_name(job), state=state_in_sentence(job), number=job.number)
        )  # fmt: skip
    files = await known_results(core.agent, job)
    if not files:
        raise BadCallError(_("{job} has no files on the agent's machine.", job=job_name(job)))
    return files


def _question(job: Job, files: list[FileObject]) -> Reply:
    what = ngettext(
        "Delete the {n} file that {job} left on the agent's machine, {size}?",
        "Delete the {n} files that {job} left on the agent's machine, {size} in all?",
        len(files),
        job=job_name(job),
        size=size(sum(file.bytes for file in files)),
    )
    stays = _("Your dataset stays, and so does what was sent to this chat or put into Ollama.")
    return Reply(
        summary=what,
        tone=Tone.trouble,
        blocks=(Note(text=stays),),
        buttons=(
            Button(label=_("Yes, delete"), line=f"/delete #{job.number} {CONFIRMED}", weight=Weight.danger),
            Button(label=_("Keep them"), line=f"/delete #{job.number} {DECLINED}"),
        ),
    )


def _deleted(job: Job, files: list[FileObject]) -> Reply:
    freed = size(sum(file.bytes for file in files))
    done = ngettext("Deleted: {n} file of {job}, {size}.", "Deleted: {n} files of {job}, {size}.", len(files),
                    job=job_name(job), size=freed)  # fmt: skip
    again = _("/retry #{number} makes the model again.", number=job.number)
    return Reply(summary=f"{done}\n{again}")


def _confirmed(arguments: tuple[str, ...]) -> bool:
    return arguments[1:2] == (CONFIRMED,)


COMMAND = Command(
    name="delete", usage="[#n]", summary=N_("delete a job's files"), run=run, topic="results", keeps=_confirmed
)
