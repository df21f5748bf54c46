"""The terminal as a Chat: posts and edits on a screen, files into a folder, buttons as numbers."""

import asyncio
import secrets
from dataclasses import replace
from pathlib import Path

from bot.core.capabilities import Capabilities
from bot.core.reply import Button, Reply
from bot.errors import MessageGoneError
from bot.terminal_ui.outbound import render, save_files
from bot.terminal_ui.screen import Screen

CAPABILITIES = Capabilities(
    text_length=100_000,
    upload_bytes=None,
    edits_per_second=1,
    buttons=False,
    images=False,
    alt_text=False,
    sounds=False,
)


class TerminalChat:
    """The one conversation of a terminal."""

    def __init__(self, screen: Screen, files_dir: Path) -> None:
        self._screen = screen
        self._files_dir = files_dir
        self._session = secrets.token_hex(3)  # message ids of an earlier session must not match
        self._posted: set[str] = set()
        self._offer: tuple[str, tuple[Button, ...]] = ("", ())
        self._saving = asyncio.Lock()

    @property
    def capabilities(self) -> Capabilities:
        """Return what a terminal can show."""
        return replace(CAPABILITIES, streams=self._screen.redraws)

    async def post(self, reply: Reply) -> str:
        """Print a new message."""
        message_id = f"{self._session}-{len(self._posted) + 1}"
        self._posted.add(message_id)
        text = await self._text(message_id, reply)
        self._screen.post(message_id, text, milestone=reply.milestone)
        return message_id

    async def edit(self, message_id: str, reply: Reply) -> None:
        """Show a message as it is now."""
        if message_id not in self._posted:
            raise MessageGoneError(message_id)
        text = await self._text(message_id, reply)
        self._screen.edit(message_id, text, milestone=reply.milestone)

    async def next_best(self, person: str) -> str | None:  # noqa: ARG002 -- there is one terminal
        """Return that there is no other."""
        return None

    @property
    def offering(self) -> str:
        """The message whose buttons numbers press now; empty: there is none."""
        return self._offer[0]

    def press(self, number: int) -> tuple[str, str] | None:
        """Return the message and the line of a numbered button of the newest message that has any."""
        message_id, buttons = self._offer
        return (message_id, buttons[number - 1].line) if 0 < number <= len(buttons) else None

    async def _text(self, message_id: str, reply: Reply) -> str:
        if reply.buttons and not reply.live:
            self._offer = (message_id, reply.buttons)
        elif self._offer[0] == message_id:
            self._offer = ("", ())
        async with self._saving:  # two results at once must not take the same names
            return render(reply, await save_files(reply, self._files_dir), self._screen.look)
