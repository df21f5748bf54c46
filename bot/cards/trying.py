"""A model that is being asked: how to, what was asked, and what it said. Pure."""

from bot.cards.job import job_name
from bot.core.reply import Button, Reply
from bot.words.format import clip, flow, one_line, plain
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
    example = _("Who are you?")
    lines = [
        clip(_("Try {job}", job=job_name(job))),
        *flow(_("Say what you want to ask it, as in")),
        clip(try_line(job, example)),
    ]
    asked = questions(job)
    buttons: tuple[Button, ...] = ()
    if asked and with_questions:
        lines += ["", *flow(_("Or ask what it never trained on:"))]
        for place, question in enumerate(asked, 1):
            lines += flow(clip(one_line(question), 120), first=f"{place}. ", rest="   ")
        buttons = tuple(
            Button(label=clip(f"{place}. {one_line(question)}", 20), line=try_line(job, f"{SAMPLE}{place}"))
            for place, question in enumerate(asked, 1)
        )
    elif asked:
        buttons = (Button(label=_("Show samples"), line=try_line(job, SAMPLES)),)
    return Reply(text="\n".join(lines), buttons=buttons)


def asking_card(job: Job, question: str) -> Reply:
    """Say at once that a question was taken."""
    said = _("Asking … If the model is not in memory, it is loaded first, and the answer takes longer.")
    lines = [*_head(job, question), "", *flow(said)]
    return Reply(text="\n".join(lines), passing=True)


def answer_card(job: Job, question: str, choice: Choice) -> Reply:
    """Show what a model said, its lines as they are as far as a phone is wide."""
    lines = [line for paragraph in plain(choice.message.content).split("\n") for line in flow(paragraph) or [""]]
    said = lines if any(lines) else flow(_("(It said nothing.)"))
    cut = ["", *flow(_("(Cut off here: it had more to say.)"))] if choice.finish_reason == "length" else []
    return Reply(text="\n".join([*_head(job, question), "", *said, *cut]))


def not_answered(job: Job, question: str, why: str) -> Reply:
    """Say why there is no answer, in the place of the sign that it was asked."""
    return Reply(text="\n".join([*_head(job, question), "", *flow(why)]))


def _head(job: Job, question: str) -> list[str]:
    asked = _("Q: {question}", question=clip(one_line(question), QUESTION_LENGTH))
    return [clip(_("Try {job}", job=job_name(job))), *flow(asked, rest="   ")]
