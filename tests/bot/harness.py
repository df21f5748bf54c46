"""What the bot's tests share: a clock they own, a third front-end, and a whole core."""

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from bot.agent_api.client import AgentClient
from bot.agent_api.transport import Address, Transport
from bot.commands import COMMANDS
from bot.core.call import Attachment, Call
from bot.core.capabilities import Capabilities
from bot.core.chat import Chat
from bot.core.reply import Reply
from bot.dispatch.command import Core
from bot.dispatch.dispatch import dispatch
from bot.dispatch.resend import Resender
from bot.errors import BadCallError, ChatError, MessageGoneError
from bot.following.feed import FeedFollower
from bot.following.results import bytes_file
from bot.following.subscriptions import Subscriptions
from bot.kept.chat_moves import Moves
from bot.kept.database import DATABASE, Database
from bot.kept.ignored import Ignored
from bot.kept.offers import Offers
from bot.kept.preferences import Preferences
from bot.kept.requests import Requests
from bot.kept.talks import Talks
from bot.terminal_ui.layout import fitted
from bot.words.arguments import split_words
from tests.fakes.agent_server import KEY, NOW, FakeAgent


class FakeClock:
    """Stands still until told to move."""

    def __init__(self) -> None:
        self._now = float(NOW)
        self._set_by = 0.0
        self._serials = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> float:
        return self._now + self._set_by

    def monotonic(self) -> float:
        return self._now

    def set_by(self, seconds: float) -> None:
        """Set the wall clock, as a person or a time server does."""
        self._set_by += seconds

    async def sleep(self, seconds: float) -> None:
        waker = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._serials), waker))
        await waker

    def advance(self, seconds: float) -> None:
        self._now += seconds
        while self._sleepers and self._sleepers[0][0] <= self._now:
            waker = heapq.heappop(self._sleepers)[2]
            if not waker.done():
                waker.set_result(None)


class RecordingChat:
    """A front-end that shows its messages to a test."""

    def __init__(self, *, upload_bytes: int | None = 1200, edits_per_second: float = 0.25) -> None:
        self.messages: dict[str, Reply] = {}  # as they read now
        self.edits: list[tuple[str, Reply]] = []
        self.failures: list[ChatError] = []  # raised by the next edits, one each
        self.post_failures: list[ChatError] = []  # and by the next posts
        self.next_chat: str | None = None  # where to go on if this chat is closed
        self.stored: dict[str, Attachment] = {}  # by reference, as the platform keeps them
        self._capabilities = Capabilities(
            text_length=2000,
            upload_bytes=upload_bytes,
            edits_per_second=edits_per_second,
            buttons=True,
            images=True,
            alt_text=True,
        )

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    async def post(self, reply: Reply) -> str:
        if self.post_failures:
            raise self.post_failures.pop()
        message_id = f"m{len(self.messages) + 1}"
        self.messages[message_id] = reply
        return message_id

    async def edit(self, message_id: str, reply: Reply) -> None:
        if self.failures:
            raise self.failures.pop()
        if message_id not in self.messages:
            raise MessageGoneError(message_id)
        self.edits.append((message_id, reply))
        self.messages[message_id] = reply

    async def next_best(self, person: str) -> str | None:
        return self.next_chat

    def attach(self, attachment: Attachment) -> Attachment:
        """Keep a file as a platform does; return it with the reference that finds it again."""
        reference = f"ref-{len(self.stored) + 1}"
        self.stored[reference] = replace(attachment, reference=reference)
        return self.stored[reference]

    async def reopen(self, _platform: str, reference: str) -> Attachment:
        if reference not in self.stored:
            raise BadCallError("That file is not in the chat any more. Send it once more.")
        return self.stored[reference]

    @property
    def texts(self) -> list[str]:
        return [reply.text for reply in self.messages.values()]

    @property
    def last(self) -> Reply:
        return list(self.messages.values())[-1]


class Bot:
    """A core, its chat and its clock."""

    def __init__(self, core: Core, chat: RecordingChat, clock: FakeClock, serving: list[asyncio.Task[None]]) -> None:
        self.core, self.chat, self.clock = core, chat, clock
        self._serving = serving  # what runs beside the calls
        self.who: dict[str, Any] = {}  # who speaks, and where, unless a test says otherwise

    def stop(self) -> None:
        """Begin to stop it, as the end of the process does; a call may still be at work."""
        for task in self._serving:
            task.cancel()

    async def say(self, line: str, *attachments: Attachment, message_id: str | None = None, **more: Any) -> Reply:
        """Call a command as a front-end does, in a private chat unless told otherwise; return the newest message."""
        await dispatch(self.call(line, *attachments, message_id=message_id, **more), self.core)
        return self.chat.last

    def call(self, line: str, *attachments: Attachment, **more: Any) -> Call:
        command, *arguments = split_words(line.removeprefix("/")) or ("",)
        known: dict[str, Any] = {"platform": "test", "person": "mia", "chat_id": "room", "private": True}
        return Call(
            chat=self.chat,
            command=command,
            arguments=tuple(arguments),
            attachments=attachments,
            **known | self.who | more,
        )

    async def press(self, label: str, **more: Any) -> Reply:
        """Press a button of the newest message that has it."""
        for message_id, reply in reversed(self.chat.messages.items()):
            for button in reply.buttons:
                if button.label == label:
                    return await self.say(button.line, message_id=message_id, **more)
        raise AssertionError(f"no button {label}")

    async def until(self, true: Callable[[], bool], *, step_s: float = 0.0) -> None:
        """Let the bot work until something holds, moving the clock on by `step_s` a look."""
        async with asyncio.timeout(20):
            while not true():
                self.clock.advance(step_s)
                await asyncio.sleep(0.005)


def fits(text: str) -> bool:
    """Say whether a text fits the terminal's 40 characters, and breaks no sentence by itself."""
    lines = [line for line in text.split("\n") if line]
    whole = not any(len(above) > 24 and below[:1].islower() and ":" not in below for above, below in pairwise(lines))
    return whole and max(map(len, fitted(text).split("\n"))) <= 40


@asynccontextmanager
async def open_bot(
    agent: FakeAgent, folder: Path, chat: RecordingChat | None = None, *, key: str = KEY
) -> AsyncIterator[Bot]:
    """Run a bot until the end of the block."""
    chat, clock = chat or RecordingChat(), FakeClock()
    recording = chat

    def open_chat(platform: str, chat_id: str) -> Chat | None:
        return recording if (platform, chat_id) == ("test", "room") else None

    async with Transport() as transport:
        with Database(folder / DATABASE) as database:
            subscriptions = Subscriptions(database)
            moves = Moves(database)
            preferences = Preferences(database)
            client = AgentClient(
                lambda _who: Address(url=agent.url, key=key), transport=transport, clock=clock, moves=moves
            )
            follow = FeedFollower(
                agent=client,
                subscriptions=subscriptions,
                open_chat=open_chat,
                clock=clock,
                moves=moves,
                preferences=preferences,
            )
            core = Core(
                agent=client,
                subscriptions=subscriptions,
                requests=Requests(database),
                offers=Offers(database),
                talks=Talks(database, clock),
                preferences=preferences,
                ignored=Ignored(database),
                follow=follow,
                clock=clock,
                commands=COMMANDS,
            )
            keeper = Resender(core, open_chat=open_chat, reopen=recording.reopen)
            serving = [asyncio.create_task(follow.run()), asyncio.create_task(keeper.run())]
            try:
                yield Bot(core, chat, clock, serving)
            finally:
                for task in serving:
                    task.cancel()
                    with suppress(asyncio.CancelledError):
                        await task


def dataset(name: str = "mia.jsonl", content: bytes = b'{"messages": []}\n') -> Attachment:
    """Return a file as a front-end hands it over."""
    return Attachment(name=name, size=len(content), open=bytes_file(name, content).open)
