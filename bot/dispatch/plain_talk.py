"""Answers words that are no command: does what they surely mean where that changes nothing, else offers buttons."""

import contextlib
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath

from bot.core.call import Call
from bot.core.chat import Answer
from bot.core.reply import Button, Reply, Weight
from bot.dispatch.command import Command, Core
from bot.dispatch.job_reference import is_theirs
from bot.words.format import clip, one_line
from bot.words.meanings import MEANINGS, Meaning
from bot.words.option_words import options_in, said_options
from bot.words.plain_words import GUESSES, SURE, Guess, guesses
from shared.errors import HearthError
from shared.jobs import Job, JobStatus
from shared.language import N_, _

CLEARLY = 4.0  # so much likelier than the next guess is the one that is carried out
LOOKED_AT = 100  # of the newest jobs and files, for one that is named
SHORTEST_NAME = 3  # of a file, to be found in a sentence
LABEL = 20  # characters of a button
LINE_BYTES = 64
UNCLEAR = N_("I did not quite get that. Send me a file and I train a model on it, or tap what comes near.")
NEARLY = N_("Is it one of these? Tap it.")
THANKS = re.compile(r"(?:many )?(?:thanks|thank you|thx|danke|merci)\b(?:\W+\w+){0,4}\W*", re.IGNORECASE)
OTHERWISE = ("finetune", "status", "help")  # offered where nothing is near, and no job is there
WHILE_IT_GOES_ON = ("status", "cancel", "pause")
USUAL = {
    JobStatus.succeeded: ("chat", "retry", "status"),
    JobStatus.failed: ("log", "retry", "status"),
    JobStatus.cancelled: ("retry", "finetune", "help"),
}
BY_COMMAND = {meaning.command: meaning for meaning in reversed(MEANINGS)}  # the first of each


async def answer_words(call: Call, core: Core, answer: Answer) -> None:
    """Answer a sentence: never with a bare refusal."""
    if (options := said_options(call.said)) is not None and await _changed(call, core, answer, options):
        return
    jobs = await _jobs(core)
    job, sentence = _job_named(jobs, call.said)
    found = guesses(sentence)
    if THANKS.fullmatch(call.said.strip()) and not any(guess.named for guess in found):
        await answer.show(Reply(summary=_("You're welcome. Send me a file whenever you like.")))
        return
    commands = {command.name: command for command in core.commands}
    if (first := _certain(found)) is not None:
        arguments = _arguments(first, job, jobs)
        if _only_looks(commands[first.command], arguments):
            await commands[first.command].run(replace(call, command=first.command, arguments=arguments), core, answer)
            return
    buttons = _of_the_plan(call, core)
    for meaning in _offered([guess.meaning for guess in found], _usual(call, jobs))[: GUESSES - len(buttons)]:
        buttons.append(await _button(core, meaning, _arguments(meaning, job, jobs), call.said))
    await answer.show(Reply(summary=_(NEARLY if found else UNCLEAR), buttons=tuple(buttons)))


def _usual(call: Call, jobs: Sequence[Job]) -> tuple[str, ...]:
    """Return what most people want where this one is: by what has become of their newest job."""
    mine = next((job for job in jobs if is_theirs(job, call)), next(iter(jobs), None))
    return OTHERWISE if mine is None else USUAL.get(mine.status, WHILE_IT_GOES_ON)


def _offered(meant: list[Meaning], usual: tuple[str, ...]) -> list[Meaning]:
    """Return what comes near, and behind it what is usual."""
    return meant + [BY_COMMAND[command] for command in usual if BY_COMMAND[command] not in meant]


def _of_the_plan(call: Call, core: Core) -> list[Button]:
    """Return the way to change the plan that was shown last: so, as a sentence seems to say, or by hand."""
    offer = core.offers.newest(call)
    if offer is None or offer.asks:
        return []
    options, _is_all = options_in(call.said)
    line = " ".join([f"/finetune look:{offer.number}", *options])
    if options and len(line.encode()) <= LINE_BYTES:
        told = ", ".join(option.replace(":", " ") for option in options)
        return [Button(label=clip(told, LABEL), line=line, weight=Weight.primary)]
    return [Button(label=_("Change the plan"), line=f"/finetune change:{offer.number}")]


def changes_a_plan(call: Call, core: Core) -> bool:
    """Say whether words are nothing but options, and a plan or a question is open: then they are no part of a talk."""
    return said_options(call.said) is not None and core.offers.newest(call) is not None


async def _changed(call: Call, core: Core, answer: Answer, options: tuple[str, ...]) -> bool:
    """Say options to what this person was shown last: a plan that was not started, or a question about a file."""
    offer = core.offers.newest(call)
    if offer is None:
        return False
    command = next(command for command in core.commands if command.name == "finetune")
    await command.run(replace(call, command="finetune", arguments=(offer.named, *options)), core, answer)
    return True


def _certain(found: list[Guess]) -> Meaning | None:
    """Return the one meaning that it surely is: not where a word of another one stands, and none of its own."""
    if not found or found[0].score < SURE or (not found[0].named and any(other.named for other in found[1:])):
        return None
    return found[0].meaning if len(found) == 1 or found[0].score - found[1].score >= CLEARLY else None


def _only_looks(command: Command, arguments: tuple[str, ...]) -> bool:
    """Say whether a command changes nothing, or asks before it does."""
    return not command.keeps(arguments) and command.name != "finetune"


def _arguments(meaning: Meaning, job: Job | None, jobs: Sequence[Job]) -> tuple[str, ...]:
    """Return what stands behind a command: the job that is named; where more does, else the newest that has files."""
    if not meaning.of_job:
        return ()
    if job is None and meaning.arguments:
        job = next((it for it in jobs if it.result_files), None)
    return (f"#{job.number}", *meaning.arguments) if job is not None else ()


async def _button(core: Core, meaning: Meaning, arguments: tuple[str, ...], said: str) -> Button:
    if meaning.command == "finetune":
        return await _file_named(core, said) or Button(label=_(meaning.label), line="/finetune sample")
    return Button(label=_(meaning.label), line=" ".join([f"/{meaning.command}", *arguments]))


async def _jobs(core: Core) -> Sequence[Job]:
    with contextlib.suppress(HearthError):  # the agent is away, or shows this person no jobs: then none is meant
        return (await core.agent.jobs(limit=LOOKED_AT)).data
    return ()


def _job_named(jobs: Sequence[Job], said: str) -> tuple[Job | None, str]:
    """Return the newest job whose number or name stands in a sentence, and the sentence with “it” in its place."""
    for job in jobs:
        name = re.compile(rf"(?<![\w-])(?:#{job.number}|{re.escape(job.suffix)})(?![\w-])", re.IGNORECASE)
        if name.search(said):
            return job, name.sub("it", said)
    return None, said


async def _file_named(core: Core, said: str) -> Button | None:
    """Return the button that trains on a file that was sent before and stands in a sentence."""
    with contextlib.suppress(HearthError):
        for file in (await core.agent.datasets(limit=LOOKED_AT)).data:
            name = one_line(file.filename)
            stem = PurePath(name).stem.lower()
            if len(stem) >= SHORTEST_NAME and re.search(rf"(?<!\w){re.escape(stem)}(?!\w)", said.lower()):
                return Button(label=clip(_("Train on {name}", name=name), LABEL), line=f"/finetune file:{file.id}")
    return None
