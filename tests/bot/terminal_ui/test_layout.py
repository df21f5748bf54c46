"""One card as lines of a terminal: of its width, in its colours or without."""

from dataclasses import replace

import pytest

from bot.core.blocks import Bar, Fields, Items, Note, Quote, Words
from bot.core.reply import Reply, Tone
from bot.terminal_ui.layout import PIPE, Look, unstyled, words
from bot.terminal_ui.screen import terminal_look

CARD = Reply(
    title="toast · training 44 %",
    summary="Learning from the rows",
    tone=Tone.working,
    blocks=(
        Bar(part=20, whole=40, beside="2 min left (14:02 CET)"),
        Fields(fields=(("loss", "1.23"), ("held-out", ""))),
        Note(text="#1"),
        Items(heading="Left out", items=("line 7: the answer is empty",), below=("It teaches nothing.",)),
        Quote(by="Line 1", words="Who are you?\n\n› A pirate."),
        Words(heading="Few rows", text="Add rows of the same kind: 200 of them make the figure steady."),
    ),
)


def test_a_pipe_gets_forty_characters_and_no_colour() -> None:
    assert words(CARD, PIPE).split("\n") == [
        "toast · training 44 %", "Learning from the rows", "",
        "▓▓▓▓▓▓▓▓░░░░░░░░░ 2 min left (14:02 CET)", "loss: 1.23", "#1", "",
        "Left out", "- line 7: the answer is empty", "  It teaches nothing.", "",
        "Line 1", "│ Who are you?", "│ › A pirate.", "",
        "Few rows", "Add rows of the same kind: 200 of them", "make the figure steady.",
    ]  # fmt: skip


@pytest.mark.parametrize("width", [20, 40, 100])
def test_lines_are_as_long_as_the_screen_is_wide(width: int) -> None:
    shown = words(CARD, Look(width=width, coloured=True))
    assert max(len(unstyled(line)) for line in shown.split("\n")) <= width
    assert shown.count("\x1b[1;34mtoast") == 1  # bold, in the colour of its tone


def test_colours_say_nothing_that_words_do_not() -> None:
    look = Look(width=60, coloured=True)
    plain = unstyled(words(CARD, look))
    assert plain == words(CARD, replace(look, coloured=False))
    assert "\x1b" not in plain


def test_a_terminal_without_colours_is_left_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLUMNS", "300")
    assert terminal_look() == Look(width=100, coloured=True)
    monkeypatch.setenv("NO_COLOR", "1")
    assert not terminal_look().coloured
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not terminal_look().coloured
