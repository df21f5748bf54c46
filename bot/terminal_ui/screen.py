"""Where the terminal's text goes: printed once, redrawn in place, or above a prompt with the live card below it."""

import math
import os
import shutil
from typing import Protocol, TextIO

from bot.terminal_ui.layout import PIPE, Look, unstyled

CLEAR_BELOW = "\x1b[J"


WIDEST = 100  # characters: longer lines are hard to read


class Screen(Protocol):
    """What the terminal chat draws on."""

    redraws: bool  # an edit is seen in the place of what was there

    @property
    def look(self) -> Look:
        """Return how wide it is now, and whether it has colours."""
        ...

    def post(self, message_id: str, text: str, *, milestone: str | None) -> None:
        """Show a new message; a milestone means that it is a live card."""
        ...

    def edit(self, message_id: str, text: str, *, milestone: str | None) -> None:
        """Show a message as it is now."""
        ...


class PlainScreen:
    """A pipe or a file: what is printed stays. A live card is printed again when its milestone changes."""

    redraws = False

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._milestones: dict[str, str] = {}

    @property
    def look(self) -> Look:
        """Return what a pipe gets."""
        return PIPE

    def post(self, message_id: str, text: str, *, milestone: str | None) -> None:
        """Print it."""
        if milestone is not None:
            self._milestones[message_id] = milestone
        self._out.write(text + "\n\n")
        self._out.flush()

    def edit(self, message_id: str, text: str, *, milestone: str | None) -> None:
        """Print it again, unless it is a live card that has come no further."""
        if milestone is None or self._milestones.get(message_id) != milestone:
            self.post(message_id, text, milestone=milestone)


class RedrawingScreen(PlainScreen):
    """A terminal whose input is a pipe: the last message is redrawn in place."""

    redraws = True

    def __init__(self, out: TextIO) -> None:
        super().__init__(out)
        self._last: tuple[str, int] = ("", 0)

    @property
    def look(self) -> Look:
        """Return the terminal's width as it is now."""
        return terminal_look()

    def post(self, message_id: str, text: str, *, milestone: str | None) -> None:
        """Print it and remember how many lines it took."""
        super().post(message_id, text, milestone=milestone)
        width = shutil.get_terminal_size().columns
        lines = sum(max(1, math.ceil(len(unstyled(line)) / width)) for line in text.splitlines())
        self._last = (message_id, lines + 1)

    def edit(self, message_id: str, text: str, *, milestone: str | None) -> None:
        """Redraw it if nothing came after it."""
        last, lines = self._last
        if last == message_id and lines < shutil.get_terminal_size().lines:
            self._out.write(f"\x1b[{lines}A\r{CLEAR_BELOW}")
            self.post(message_id, text, milestone=milestone)
        else:
            super().edit(message_id, text, milestone=milestone)

    def typed(self) -> None:
        """Note that something else was printed below the last message."""
        self._last = ("", 0)


class PromptScreen(PlainScreen):
    """Above a prompt: messages scroll, live cards stand below it until they end."""

    redraws = True

    def __init__(self, out: TextIO) -> None:
        super().__init__(out)
        self._live: dict[str, str] = {}

    @property
    def look(self) -> Look:
        """Return the terminal's width as it is now."""
        return terminal_look()

    def post(self, message_id: str, text: str, *, milestone: str | None) -> None:
        """Print a message, or put a live card into the toolbar."""
        if milestone is not None:
            self._live[message_id] = text
            return
        self._live.pop(message_id, None)
        super().post(message_id, text, milestone=None)

    def edit(self, message_id: str, text: str, *, milestone: str | None) -> None:
        """Print a message as it is now, or redraw the live card."""
        self.post(message_id, text, milestone=milestone)

    def toolbar(self) -> str:
        """Return what stands below the prompt."""
        return "\n\n".join(self._live.values())


def terminal_look() -> Look:
    """Return what the terminal can show. NO_COLOR: https://no-color.org."""
    width = shutil.get_terminal_size((PIPE.width, 24)).columns
    coloured = not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"
    return Look(width=max(20, min(width, WIDEST)), coloured=coloured)
