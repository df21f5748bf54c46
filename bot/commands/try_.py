"""/try: a finished model is asked something, and answers in the chat."""

import re
from collections.abc import Sequence

from bot.cards.job import job_name, state_in_sentence
from bot.cards.trying import SAMPLE, SAMPLES, answer_card, asking_card, how_card, not_answered, questions
from bot.core.call import Call
from bot.core.chat import Answer
from bot.dispatch.command import Command, Core
from bot.dispatch.job_reference import LOOKED_AT, find_job, named, nearly_named
from bot.errors import AgentRefusedError, BadCallError
from shared.chat import MESSAGE_LENGTH
from shared.errors import ErrorCode
from shared.jobs import FINISHED, Job
from shared.language import N_, _

_JOB = re.compile(r"#?\d{1,9}|ftjob-[\w-]{1,64}")
_NUMBERED = re.compile(r"#\d{1,9}|ftjob-[\w-]{1,64}")


async def run(call: Call, core: Core, answer: Answer) -> None:
    """Ask the model of a job, or of the newest that the person may use; without words, say how."""
    job, words = await meant(call.arguments, core)
    model = model_of(job)
    if not words or words == (SAMPLES,):
        await answer.show(how_card(job, with_questions=call.private or bool(words)))
        return
    question = _question(job, words)
    await core.agent.events(job.id, limit=1)  # who may not watch a job may not try its model: refused before a word
    await answer.show(asking_card(job, question))
    try:
        [choice, *_more] = (await core.agent.ask_model(model, question)).choices
    except AgentRefusedError as refusal:
        if refusal.code is ErrorCode.not_allowed:
            raise
        await answer.show(not_answered(job, question, refusal.message))
        return
    await answer.show(answer_card(job, question, choice))


async def meant(arguments: tuple[str, ...], core: Core) -> tuple[Job, tuple[str, ...]]:
    """Return the job whose model is asked, and the words for it: of the job named first, else of the newest."""
    alone = len(arguments) == 1  # else a bare number begins a question: /try 3 tips for a curry
    if arguments and (_JOB if alone else _NUMBERED).fullmatch(arguments[0]):
        return await find_job(core.agent, arguments), arguments[1:]
    jobs = (await core.agent.jobs(limit=LOOKED_AT)).data
    if arguments and (job := named(jobs, arguments[0])) is not None:
        return job, arguments[1:]
    if alone and nearly_named(jobs, arguments[0]):
        return await find_job(core.agent, arguments), ()
    return _newest(jobs), arguments


def _newest(jobs: Sequence[Job]) -> Job:
    """Return the newest job with a model that the agent shows to this person."""
    usable = [job for job in jobs if job.fine_tuned_model is not None and job.result is not None]
    if not usable:
        raise BadCallError(
            _("There is no finished model yet that you may try. /jobs lists all jobs; /finetune makes a model.")
        )
    return usable[0]


def model_of(job: Job) -> str:
    """Return the model that a job made; raise BadCallError where there is none."""
    if job.fine_tuned_model is not None:
        return job.fine_tuned_model
    if job.status in FINISHED:
        raise BadCallError(
            _(
                "{job} made no model to try: {state}. /jobs lists those that are done.",
                job=job_name(job),
                state=state_in_sentence(job),
            )
        )
    raise BadCallError(
        _("{job} has no model yet: {state}. Try it when it is done.", job=job_name(job), state=state_in_sentence(job))
    )


def _question(job: Job, words: tuple[str, ...]) -> str:
    """Return what is asked: the words, or the question of the data that they name."""
    place = words[0].removeprefix(SAMPLE)
    if len(words) == 1 and words[0].startswith(SAMPLE) and place.isdecimal():
        asked = questions(job)
        if not 1 <= int(place) <= len(asked):
            raise BadCallError(
                _("{job} has no sample {place}. /try #{number} shows how to ask it.",
                  job=job_name(job), place=place[:9], number=job.number)
            )  # fmt: skip
        return asked[int(place) - 1]
    question = " ".join(words)
    if len(question) > MESSAGE_LENGTH:
        raise BadCallError(
            _("That is too long: {length} characters, and a question may have {limit}.",
              length=len(question), limit=MESSAGE_LENGTH)
        )  # fmt: skip
    return question


COMMAND = Command(name="try", usage="[#n] [words]", summary=N_("ask a finished model"), run=run, topic="results")
