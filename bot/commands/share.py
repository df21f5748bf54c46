"""/share: a finished model as one picture to post, made only of the answer that the person agreed to show."""

from bot.cards.job import job_name, state_in_sentence
from bot.cards.result import before_and_after
from bot.core.blocks import Note
from bot.core.call import Call
from bot.core.chat import Answer
from bot.core.reply import Button, Image, Reply, Weight
from bot.dispatch.command import Command, Core
from bot.dispatch.job_reference import find_job
from bot.errors import BadCallError
from bot.following.results import bytes_file
from bot.words.format import clip, one_line, safe_file_name
from shared.jobs import Job
from shared.language import N_, _

AGREED = "yes"  # as the last word
NAME_LENGTH = 24


async def run(call: Call, core: Core, answer: Answer) -> None:
    """Show what the picture would say; draw it once that was agreed to."""
    job = await find_job(core.agent, call.arguments[:1])
    await core.agent.events(job.id, limit=1)  # who may not watch a job reads none of its answers
    if job.result is None or not job.result.answers:
        raise BadCallError(_("{job} has no answers to show: {state}.", job=job_name(job), state=state_in_sentence(job)))
    place = _place(call.arguments[1:2], of=len(job.result.answers))
    if call.arguments[2:] == (AGREED,):
        drawn = await core.agent.share_picture(job.id, answer=place)
        name = safe_file_name(f"{job.suffix}.png")
        picture = Image(file=bytes_file(name, drawn.png), alt_text=drawn.alt_text)
        await answer.show(Reply(title=_name(job), image=picture, folder=f"{job.suffix}-{job.number}"))
        return
    if len(call.arguments) > 1:  # another question, in the place of the one before
        answer.take_over(call.message_id)
    await answer.show(_question(job, place, of=len(job.result.answers)))


def _question(job: Job, place: int, *, of: int) -> Reply:
    assert job.result is not None
    shown = before_and_after(job.result.answers[place])
    following = (place + 1) % of
    return Reply(
        title=_("Share {name}", name=_name(job)),
        summary=_("A picture to post would show this, and nothing else of your data:"),
        blocks=(shown, Note(text=_("It is drawn when you say so, and shown here alone."))),
        buttons=(
            Button(label=_("Draw it"), line=f"/share #{job.number} {place + 1} {AGREED}", weight=Weight.primary),
            *([Button(label=_("Another question"), line=f"/share #{job.number} {following + 1}")] if of > 1 else []),
        ),
    )


def _place(words: tuple[str, ...], *, of: int) -> int:
    """Return which answer is meant, from 0; the first where none is."""
    if not words:
        return 0
    if not words[0].isdecimal() or not 1 <= int(words[0]) <= of:
        raise BadCallError(_("There is no answer {place}; there are {n}.", place=clip(one_line(words[0]), 9), n=of))
    return int(words[0]) - 1


def _name(job: Job) -> str:
    return clip(one_line(job.suffix), NAME_LENGTH)


COMMAND = Command(name="share", usage="[#n]", summary=N_("a picture to post"), run=run, topic="results")
