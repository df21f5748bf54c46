"""What to show, said without knowing where. A front-end turns it into its platform's objects."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace

from bot.format import split_message


@dataclass(frozen=True, kw_only=True)
class Button:
    """A tap that says a command. Where there are no buttons it becomes a number to type, or the line itself."""

    label: str  # at most 20 characters
    line: str  # the command it stands for, at most 64 bytes (Telegram's callback_data)


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


@dataclass(frozen=True, kw_only=True)
class Copy:
    """Whole lines to copy, into a shell or back into the chat, and a word on what they do."""

    intro: str
    lines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One message: the text first, then picture, files, lines to copy, buttons."""

    text: str
    image: Image | None = None
    files: tuple[File, ...] = ()
    folder: str = ""  # where files are saved rather than attached: their own folder, if their names are taken
    again: str = ""  # the command that shows this once more, for when the files could not be saved
    copy: tuple[Copy, ...] = ()
    buttons: tuple[Button, ...] = ()
    milestone: str | None = None  # set: a live card. Where edits cannot be seen, show it again when this changes

    @property
    def live(self) -> bool:
        """Whether this message goes on changing by itself."""
        return self.milestone is not None

    def pages(self, text_length: int) -> list["Reply"]:
        """Split a text that is too long for one message; everything else goes with the last page."""
        *first, last = split_message(self.text, text_length)
        return [*(Reply(text=text) for text in first), replace(self, text=last)]
