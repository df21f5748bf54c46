"""A number presses a button of the newest card, and of no other than the one that was looked at."""

import io
from pathlib import Path

import pytest

from bot.core.reply import Button, Reply
from bot.terminal_ui.app import NEWER, Looking, handle_line
from bot.terminal_ui.chat import TerminalChat
from bot.terminal_ui.screen import PlainScreen
from tests.bot.harness import Bot

GPU = Reply(summary="look?", buttons=(Button(label="Look", line="/gpu"),))
JOBS = Reply(summary="list?", buttons=(Button(label="List", line="/jobs"),))
PLAIN = Reply(summary="by the way")


class Sitting:
    """A person at a terminal."""

    def __init__(self, bot: Bot, folder: Path) -> None:
        self.bot, self._out = bot, io.StringIO()
        self.chat = TerminalChat(PlainScreen(self._out), folder)
        self.looking = Looking(self.chat)

    async def enter(self, line: str) -> str:
        """Send the line; return what is printed then."""
        before = len(self._out.getvalue())
        await handle_line(line, self.bot.core, self.chat, seen=self.looking.seen)
        self.looking.begins()
        return " ".join(self._out.getvalue()[before:].split())


@pytest.fixture
def sitting(bot: Bot, tmp_path: Path) -> Sitting:
    return Sitting(bot, tmp_path / "files")


async def test_a_number_answers_the_newest_card(sitting: Sitting) -> None:
    await sitting.chat.post(GPU)
    await sitting.chat.post(JOBS)
    sitting.looking.typed("1")
    assert "No jobs yet" in await sitting.enter("1")


async def test_a_card_that_came_while_somebody_typed_is_not_pressed(sitting: Sitting) -> None:
    await sitting.chat.post(GPU)
    sitting.looking.typed("1")
    await sitting.chat.post(JOBS)
    assert await sitting.enter("1") == NEWER
    sitting.looking.typed("1")
    assert "No jobs yet" in await sitting.enter("1")


async def test_where_there_was_no_card_the_one_that_came_since_is_not_pressed(sitting: Sitting) -> None:
    sitting.looking.begins()
    sitting.looking.typed("1")
    await sitting.chat.post(GPU)
    sitting.looking.typed("12")
    sitting.looking.typed("1")
    assert await sitting.enter("1") == NEWER


async def test_a_line_that_was_deleted_and_begun_anew_is_for_the_card_of_then(sitting: Sitting) -> None:
    await sitting.chat.post(GPU)
    sitting.looking.typed("1")
    await sitting.chat.post(JOBS)
    sitting.looking.typed("")
    sitting.looking.typed("1")
    assert "No jobs yet" in await sitting.enter("1")


async def test_what_has_no_buttons_takes_none_away(sitting: Sitting) -> None:
    await sitting.chat.post(JOBS)
    sitting.looking.typed("1")
    await sitting.chat.post(PLAIN)
    assert "No jobs yet" in await sitting.enter("1")


async def test_a_card_whose_buttons_are_gone_says_that_there_is_nothing_to_choose(sitting: Sitting) -> None:
    message_id = await sitting.chat.post(JOBS)
    sitting.looking.typed("1")
    await sitting.chat.edit(message_id, PLAIN)
    assert "There is nothing to choose with 1 now" in await sitting.enter("1")


async def test_words_and_commands_are_for_no_card(sitting: Sitting) -> None:
    sitting.looking.typed("/")
    await sitting.chat.post(GPU)
    assert "No jobs yet" in await sitting.enter("/jobs")
