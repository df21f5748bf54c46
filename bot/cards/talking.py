"""A talk with a finished model: how it begins, what the model says, and how it ends. Pure."""

from dataclasses import dataclass

from bot.core.blocks import Block, Note, Quote, Words
from bot.core.reply import Button, Reply, Tone
from bot.words.format import clip, one_line, plain
from shared.jobs import Job
from shared.language import N_, _

GREETING = N_("Who are you?")  # what a model is asked first
NEW, END = "new", "end"  # as the one word of /chat
QUESTION_LENGTH = 200
TITLE_LENGTH = 30
STREAMING = "streaming"  # a milestone: what is said goes on changing by itself


@dataclass(frozen=True, kw_only=True)
class Speech:
    """What a model says: all of it, or so far."""

    name: str  # the model's, as people call it
    number: int  # of its job
    text: str
    goes_on: bool = False
    cut: bool = False  # it had more to say than it may
    broke: str = ""  # why it says no more, where it had not ended


def chat_line(job: Job) -> str:
    """Return the command that begins a talk with a job's model."""
    return f"/chat #{job.number}"


def opening_card(speech: Speech, asked: str, *, private: bool, training: bool) -> Reply:
    """Return how a talk begins: how it goes on, the first question, and what the model says to it."""
    how = _(
        "Write, and it answers. It remembers what was said; “end” ends the talk, and so does half a day of silence."
    )
    among_others = _("Answer one of my messages, or name me, and it hears you. “end” ends the talk.")
    wait = (Note(text=_("A training runs and goes first, so answers may take a while.")),) if training else ()
    return Reply(
        title=_talk_with(speech.name),
        summary=how if private else among_others,
        blocks=(Quote(words=clip(one_line(asked), QUESTION_LENGTH)), *_said(speech), *wait),
        buttons=() if speech.goes_on else _buttons(speech.number),
        milestone=STREAMING if speech.goes_on else None,
    )


def answer_card(speech: Speech) -> Reply:
    """Return what a model says, as itself."""
    return Reply(
        title=_name(speech.name),
        blocks=_said(speech),
        buttons=() if speech.goes_on else _buttons(speech.number),
        milestone=STREAMING if speech.goes_on else None,
    )


def silent_card(name: str, number: int, why: str) -> Reply:
    """Say why a model does not answer now. The talk goes on."""
    return Reply(title=_name(name), tone=Tone.trouble, summary=why, buttons=_buttons(number))


def new_card(name: str) -> Reply:
    """Say that the model has forgotten what was said."""
    return Reply(
        title=_talk_with(name),
        summary=_("A new talk: it has forgotten the last one."),
        buttons=(Button(label=_("End"), line=f"/chat {END}"),),
    )


def ended_card(name: str, number: int) -> Reply:
    """Say that the talk is over."""
    return Reply(
        title=_talk_with(name),
        summary=_("The talk is over, and what was said is forgotten."),
        buttons=(Button(label=_("Talk again"), line=f"/chat #{number}"),),
    )


def _said(speech: Speech) -> tuple[Block, ...]:
    text = plain(speech.text).strip()
    if speech.goes_on:
        return (Words(text=f"{text} …".strip()),)
    cut = (Note(text=_("(Cut off here: it had more to say.)")),) if speech.cut else ()
    cut = (Note(text=_("(It broke off here: {why})", why=one_line(speech.broke))),) if speech.broke else cut
    return (Words(text=text or _("(It said nothing.)")), *cut)


def _talk_with(name: str) -> str:
    return _("Talk with {name}", name=_name(name))


def _name(name: str) -> str:
    return clip(one_line(name), TITLE_LENGTH)


def _buttons(number: int) -> tuple[Button, ...]:
    return Button(label=_("New talk"), line=f"/chat {NEW} #{number}"), Button(label=_("End"), line=f"/chat {END}")
