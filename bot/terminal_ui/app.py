"""The terminal chat: reads lines from a person or a pipe, hands calls to dispatch, leaves when all is said."""

import asyncio
import getpass
import os
import re
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bot.core.call import Attachment, Call
from bot.core.chat import Chat
from bot.core.reply import Reply
from bot.dispatch.command import Core
from bot.dispatch.dispatch import dispatch
from bot.errors import BadCallError, StorageError
from bot.terminal_ui.chat import TerminalChat
from bot.terminal_ui.inbound import Typed, read_line, reopen_file
from bot.terminal_ui.screen import PlainScreen, PromptScreen, RedrawingScreen
from bot.words.format import plain
from shared.jobs import JobStatus
from shared.language import N_, _, locale_here, speaking
from shared.people import RequestedBy

PLATFORM = "terminal"
CHAT_ID = "terminal"
PROMPT = N_("you › ")
WELCOME = N_(
    "Hearth teaches a language model your own style. Send a file with /finetune, or try /finetune sample. A number "
    "presses a button of the newest card, /help shows the rest, /exit leaves."
)
NEWER = N_(
    "A newer card came while you typed. Numbers press its buttons now: look at it, and type the number once more."
)
LEAVING = ("/exit", "/quit", "exit", "quit")


class Terminal:
    """The terminal as a front-end. Its talk ends with its input, so unlike others it can be over."""

    platform = PLATFORM

    def __init__(self, screen: PlainScreen, files_dir: Path) -> None:
        self._screen = screen
        self._chat = TerminalChat(screen, files_dir)

    @property
    def decides(self) -> bool:
        """Whether its end is the end of the bot: a person at a prompt who leaves means it."""
        return isinstance(self._screen, PromptScreen)

    async def tell(self, reply: Reply) -> None:
        """Show something that nobody asked for."""
        await self._chat.post(reply)

    async def run(self, core: Core) -> None:
        """Talk until the end of input."""
        await self.talk(core)

    async def talk(self, core: Core) -> int:
        """Talk until the end of input; return the exit code."""
        with speaking(locale_here()):
            if isinstance(self._screen, PromptScreen):
                return await run_prompt(core, self._chat, self._screen)
            return await run_piped(core, self._chat, self._screen)

    def open_chat(self, chat_id: str) -> Chat | None:
        """Return the one conversation."""
        return self._chat if chat_id == CHAT_ID else None

    async def as_now(self, who: RequestedBy) -> RequestedBy:
        """Return a person as they were: there is one, and they have no roles."""
        return who

    async def reopen(self, reference: str) -> Attachment:
        """Return a file by its path."""
        return reopen_file(reference)


async def run_piped(core: Core, chat: TerminalChat, screen: PlainScreen) -> int:
    """Answer each line in turn; at the end of input wait for every request and job. Return 1 if a job failed."""
    async for line in _lines(sys.stdin.fileno()):
        if line.strip().lower() in LEAVING:
            break
        if line.strip().isdecimal():  # a button of an answer that may still be on its way
            await core.requests.all_answered()
        sys.stdout.write(f"{prompt(core, chat)}{plain(line)}\n\n")
        if isinstance(screen, RedrawingScreen):
            screen.typed()
        await handle_line(line, core, chat)
    await core.requests.all_answered()
    await core.follow.all_told()
    return 1 if JobStatus.failed in core.follow.endings else 0


async def run_prompt(core: Core, chat: TerminalChat, screen: PromptScreen) -> int:
    """Talk with a person until they leave; jobs go on without the bot."""
    from prompt_toolkit import ANSI, PromptSession

    session: PromptSession[str] = PromptSession(
        lambda: prompt(core, chat), bottom_toolbar=lambda: ANSI(screen.toolbar()), refresh_interval=1
    )
    looking = Looking(chat)
    session.default_buffer.on_text_changed += lambda buffer: looking.typed(buffer.text)
    async with asyncio.TaskGroup() as calls:
        await chat.post(Reply(summary=_(WELCOME)))
        with suppress(EOFError, KeyboardInterrupt):
            while True:
                looking.begins()
                line = await session.prompt_async()
                if line.strip().lower() in LEAVING:
                    break
                calls.create_task(handle_line(line, core, chat, seen=looking.seen))
    if screen.toolbar():
        sys.stdout.write(_("The job goes on without me. Start me again as you did now, and I show it.") + "\n")
    if core.requests.unanswered():
        sys.stdout.write(_("What waits for the agent is kept. Start me again as you did now, and I send it.") + "\n")
    return 0


class Looking:
    """At which card a person looked when they began to type: another may come before they press Enter."""

    def __init__(self, chat: TerminalChat) -> None:
        self._chat = chat
        self._empty = True
        self.seen = ""

    def begins(self) -> None:
        """Note that the line is empty: the one before was sent."""
        self._empty, self.seen = True, self._chat.offering

    def typed(self, text: str) -> None:
        """Note the newest card where a line begins."""
        if text and self._empty:
            self.seen = self._chat.offering
        self._empty = not text


async def handle_line(line: str, core: Core, chat: TerminalChat, *, seen: str | None = None) -> None:
    """Turn one line into a call and have it answered; `seen`: the card that a number is for, if that is known."""
    if not line.strip():
        return
    try:
        typed = read_line(line)
        message_id = None
        if typed.button is not None:
            message_id, typed = _pressed(typed.button, chat, seen)
    except BadCallError as error:
        await chat.post(Reply(summary=error.message))
        return
    await dispatch(_call(typed, chat, message_id), core)


@contextmanager
def open_screen(*, prompt: bool) -> Iterator[PlainScreen]:
    """Open the screen that fits where output goes; above a prompt, for as long as the block lasts."""
    if prompt:
        from prompt_toolkit.patch_stdout import patch_stdout

        with patch_stdout(raw=True):  # or our own colours would be shown as characters
            yield PromptScreen(sys.stdout)
    else:
        yield RedrawingScreen(sys.stdout) if sys.stdout.isatty() else PlainScreen(sys.stdout)


def person() -> str:
    """Return who sits at this terminal, as an identifier."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        name = ""
    return re.sub(r"[^\w.:@+-]", "-", name)[:64] or "owner"


def prompt(core: Core, chat: TerminalChat) -> str:
    """Return what stands before what is typed: to whom it is said."""
    with suppress(StorageError):
        talk = core.talks.of(_call(Typed(), chat, None))
        if talk is not None:
            return _("you to {name} › ", name=plain(talk.name))
    return _(PROMPT)


def _pressed(number: int, chat: TerminalChat, seen: str | None) -> tuple[str, Typed]:
    if seen is not None and chat.offering not in ("", seen):
        raise BadCallError(_(NEWER))
    pressed = chat.press(number)
    if pressed is None:
        raise BadCallError(
            _(
                "There is nothing to choose with {number} now: numbers press the buttons of the newest card that has "
                "some. /help shows what I know.",
                number=number,
            )
        )
    message_id, line = pressed
    return message_id, read_line(line)


def _call(typed: Typed, chat: TerminalChat, message_id: str | None) -> Call:
    return Call(
        platform=PLATFORM,
        person=person(),
        chat_id=CHAT_ID,
        chat=chat,
        command=typed.command,
        said=typed.said,
        arguments=typed.arguments,
        attachments=typed.attachments,
        message_id=message_id,
        private=True,
        locale=locale_here(),
    )


async def _lines(fd: int) -> AsyncIterator[str]:
    """Yield lines from a pipe, file or terminal as they come.

    A thread reads the bare descriptor: asyncio cannot wait for regular files, and a thread inside sys.stdin would
    hold its lock when the interpreter ends.
    """
    loop = asyncio.get_running_loop()
    chunks: asyncio.Queue[bytes] = asyncio.Queue()

    def read() -> None:
        with suppress(RuntimeError, OSError):  # the loop is closed: we are leaving
            while chunk := os.read(fd, 1 << 16):
                loop.call_soon_threadsafe(chunks.put_nowait, chunk)
            loop.call_soon_threadsafe(chunks.put_nowait, b"")

    threading.Thread(target=read, daemon=True).start()
    rest = b""
    while chunk := await chunks.get():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line.decode("utf-8", "replace").rstrip("\r")
    if rest:
        yield rest.decode("utf-8", "replace")
