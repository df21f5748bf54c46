"""A model that is being asked: how to, what was asked, and what it said. Pure."""

from bot.cards.job import job_name
from bot.core.blocks import Block, Items, Note, Quote, Words
from bot.core.reply import Button, Copy, Reply, Tone
from bot.words.format import clip, one_line, plain
from shared.chat import Choice
from shared.jobs import Job
from shared.language import _

SAMPLES = "samples"  # alone behind the number: show questions of the data
SAMPLE = "sample:"  # with its place: ask that one
OFFERED = 3
QUESTION_LENGTH = 200  # characters of a question that are shown again


def try_line(job: Job, words: str = "") -> str:
    """Return the command that asks a job's model."""
    return f"/try #{job.number} {words}".strip()


def questions(job: Job) -> list[str]:
    """Return up to three questions of the job's own data that it never trained on."""
    return [answer.question for answer in job.result.answers][:OFFERED] if job.result else []


def how_card(job: Job, *, with_questions: bool) -> Reply:
    """Say how to ask. Questions of the data are people's own: among others they are offered on request."""
    asked = questions(job)
    blocks, buttons = list[Block](), tuple[Button, ...]()
    if asked and with_questions:
        items = tuple(clip(one_line(question), 120) for question in asked)
        blocks = [Items(heading=_("Ask what it never trained on:"), items=items, numbered=True)]
        buttons = tuple(
            Button(label=clip(f"{place}. {one_line(question)}", 20), line=try_line(job, f"{SAMPLE}{place}"))
            for place, question in enumerate(asked, 1)
        )
    elif asked:
        buttons = (Button(label=_("Show samples"), line=try_line(job, SAMPLES)),)
    intro = _("Or ask what you like, as in") if blocks else _("Say what you want to ask it, as in")
    example = Copy(intro=intro, lines=(try_line(job, _("Who are you?")),))
    return Reply(title=_title(job), blocks=tuple(blocks), copy=(example,), buttons=buttons)


def asking_card(job: Job, question: str) -> Reply:
    """Say at once that a question was taken."""
    said = _("Asking … If the model is not in memory, it is loaded first, and the answer takes longer.")
    return Reply(title=_title(job), blocks=(_asked(question), Note(text=said)), passing=True)


def answer_card(job: Job, question: str, choice: Choice) -> Reply:
    """Show what a model said."""
    said = plain(choice.message.content).strip() or _("(It said nothing.)")
    cut = [Note(text=_("(Cut off here: it had more to say.)"))] if choice.finish_reason == "length" else []
    return Reply(title=_title(job), blocks=(_asked(question), Words(text=said), *cut))


def not_answered(job: Job, question: str, why: str) -> Reply:
    """Say why there is no answer, in the place of the sign that it was asked."""
    return Reply(title=_title(job), tone=Tone.trouble, blocks=(_asked(question), Words(text=why)))


def _title(job: Job) -> str:
    return _("Try {job}", job=job_name(job))


def _asked(question: str) -> Quote:
    return Quote(words=clip(one_line(question), QUESTION_LENGTH))
