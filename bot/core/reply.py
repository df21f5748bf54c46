"""What to show, said without knowing where. A front-end turns it into its platform's objects."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from enum import StrEnum

from bot.core.blocks import Block, groups, read_aloud


class Tone(StrEnum):
    """How things stand. Shown as a colour where there are colours, and never by a colour alone."""

    plain = "plain"
    waiting = "waiting"
    working = "working"
    good = "good"
    trouble = "trouble"
    bad = "bad"


class Weight(StrEnum):
    """What a tap does, as a colour of its button."""

    usual = "usual"
    primary = "primary"  # what most people want next; at most one a message
    danger = "danger"  # something is lost by it


@dataclass(frozen=True, kw_only=True)
class Button:
    """A tap that says a command. Where there are no buttons it becomes a number to type, or the line itself."""

    label: str  # at most 20 characters
    line: str  # the command it stands for, at most 64 bytes (Telegram's callback_data)
    weight: Weight = Weight.usual


@dataclass(frozen=True, kw_only=True)
class File:
    """A file to hand over, read as it is sent and never whole in memory."""

    name: str
    size: int | None  # bytes
    open: Callable[[], AsyncIterator[bytes]]


@dataclass(frozen=True, kw_only=True)
class Image:
    """A picture with the words for those who cannot see it."""

    file: File
    alt_text: str
    shown: bool = False  # the message that is edited shows it already: nothing to upload


@dataclass(frozen=True, kw_only=True)
class Copy:
    """Whole lines to copy, into a shell or back into the chat, and a word on what they do."""

    intro: str
    lines: tuple[str, ...]
    link: bool = False  # one line, an address of our own to tap rather than to copy


@dataclass(frozen=True, kw_only=True)
class Moment:
    """Words of a card that name a time. Where times can tick, `before` and the ticking time stand in their place."""

    words: str  # a line of the summary, the value of a field, or what stands beside a bar
    before: str
    at: int  # seconds since 1970


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One message: title and summary, what stands below them, then picture, files, lines to copy, buttons."""

    title: str = ""  # a few words, the state among them
    summary: str = ""  # a sentence or two, one a line
    tone: Tone = Tone.plain
    blocks: tuple[Block, ...] = ()
    image: Image | None = None
    files: tuple[File, ...] = ()
    folder: str = ""  # where files are saved rather than attached: their own folder, if their names are taken
    again: str = ""  # the command that shows this once more, for when the files could not be saved
    copy: tuple[Copy, ...] = ()
    buttons: tuple[Button, ...] = ()
    moments: tuple[Moment, ...] = ()
    mention: str | None = None  # the platform's id of the one person to notify; nobody else ever is
    private: bool = False  # meant for who asked alone, if the platform has a way: a refusal to a button press
    passing: bool = False  # a sign of life, of no interest once the answer is there
    refusal: bool = False  # it says no, or what went wrong: nothing was done
    quiet: bool = False  # belongs to another message, which is the one to notify of and to edit
    silent: bool = False  # no phone rings for it: its chat is set so
    milestone: str | None = None  # set: a live card. Where edits cannot be seen, show it again when this changes

    @property
    def text(self) -> str:
        """Return all words as bare text, the title first."""
        head = "\n".join(filter(None, (self.title, self.summary)))
        below = ["\n".join(map(read_aloud, group)) for group in groups(self.blocks)]
        return "\n\n".join(filter(None, (head, *below)))

    @property
    def live(self) -> bool:
        """Whether this message goes on changing by itself."""
        return self.milestone is not None
