"""kill -9 of a real bot at random points of a story in a chat, whose server keeps what was said between two bots.

From a file with `/finetune` to its model: one job on one card, and a result that is never lost, and shown twice only
where a kill left no way to know.
"""

import asyncio
import logging
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Protocol

from bot.kept.database import DATABASE
from tests.bot.process import bot_process, environment
from tests.fakes.agent_server import FakeAgent, running_agent
from tests.soak.campaign import BrokenPromise, Campaign

STORIES, KILLS = 10, 10  # of each story
REQUESTS = 40  # of a bot's life, at most
LIFE_S = 2.0  # from its first request, at most
AT_A_MESSAGE = 0.5  # of the bots are killed when a message of theirs has arrived, before they can know
END_S = 60.0
PACE_S = (0.01, 0.2)  # between two steps of a job
PLANNED, RESULT = "→ ", " is ready ·"
FOR_OLLAMA = {"toast.gguf", "Modelfile"}  # what comes with a result; the rest is a tap away
MAYBE_TOLD = "If you have not seen the result: /status"


class Message(Protocol):
    """What both platforms' messages have."""

    id: int

    @property
    def text(self) -> str: ...


class Chat(Protocol):
    """A person in a chat. The server behind it outlives every bot."""

    doubles: bool  # it shows a message twice when it was sent twice

    @property
    def settings(self) -> dict[str, str]: ...
    @property
    def requests(self) -> int: ...
    def messages(self) -> Sequence[Message]: ...
    def files(self) -> list[str]: ...
    def transcript(self) -> str: ...
    async def ask(self, line: str, *, with_file: bool = False) -> None:
        """Say a command until it was taken in."""

    async def press(self, label: str, card: int) -> None:
        """Press a button until that was taken in."""


Visit = Callable[[], AbstractAsyncContextManager[Chat]]


def run(campaign: Campaign, visit: Visit, *, stories: int = STORIES, kills: int = KILLS) -> str:
    """Play it; return what happened."""
    return asyncio.run(_run(campaign, visit, stories, kills))


async def _run(campaign: Campaign, visit: Visit, stories: int, kills: int) -> str:
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # that a bot was killed while it asked is no news
    killed = doubled = told = 0
    while told < stories and campaign.has_time():
        async with running_agent(int(time.time())) as agent, visit() as chat:
            story = Story(campaign, agent, chat, number=told)
            await story.live(kills)
            story.check()
            killed, doubled, told = killed + story.kills, doubled + max(0, story.results - 1 - story.asked), told + 1
            campaign.note(f"{killed} kills, {told} stories, {doubled} doubled results")
    return f"{killed} kills of the bot, {told} stories, {doubled} doubled results"


class Story:
    """One file, sent once, and all that bots made of it."""

    def __init__(self, campaign: Campaign, agent: FakeAgent, chat: Chat, *, number: int) -> None:
        self._campaign = campaign
        self._agent = agent
        self._chat = chat
        self._folder: Path = campaign.work / f"story-{number}"
        self._folder.mkdir()
        self._card = 0
        self.kills = 0
        self.asked = False  # for the result
        agent.autoplay = "succeeded"
        agent.pace_s = campaign.dice.uniform(*PACE_S)

    async def live(self, kills: int) -> None:
        """Have bot after bot killed, then one that comes to the end, and one that finds nothing left to tell."""
        person = asyncio.create_task(self._ask())
        try:
            for _ in range(kills):
                await self._be_killed()
            async with self._bot():
                await person
                await self._until(self._all_told)
                if self._maybe_told():
                    await self._ask_for_the_result()
            told = self._told()
            async with self._bot() as bot:
                await self._until(lambda: self._agent.feeds)
                bot.terminate()
                await bot.communicate()
            self._promise(self._told() == told, "a bot that had nothing left to tell told something")
        finally:
            person.cancel()
            with suppress(asyncio.CancelledError):
                await person

    async def _ask(self) -> None:
        """Do what the person does: send the file, look at the plan, start it."""
        await self._chat.ask("/finetune name:toast", with_file=True)
        await self._until(lambda: self._saying(PLANNED))
        self._card = self._saying(PLANNED)[0].id
        await self._chat.press("Start", self._card)

    async def _ask_for_the_result(self) -> None:
        """Do what the card says when bots were killed again and again in the middle of telling the result."""
        results, files = self.results, Counter(self._chat.files())
        await self._chat.ask("/status #1")
        await self._until(
            lambda: self.results > results and Counter(self._chat.files()) >= files + Counter(self._made())
        )
        self.asked = True

    async def _be_killed(self) -> None:
        dice = self._campaign.dice
        requests, life_s, at_a_message = (
            dice.randint(1, REQUESTS),
            dice.uniform(0, LIFE_S),
            dice.random() < AT_A_MESSAGE,
        )
        async with self._bot() as bot:
            begun = self._requests
            await self._until(lambda: self._requests > begun)
            before, until = len(self._chat.messages()), time.monotonic() + life_s
            while self._requests < begun + requests and time.monotonic() < until:
                await asyncio.sleep(0.0005)
                if at_a_message and len(self._chat.messages()) > before:
                    break
            bot.kill()
        self.kills += 1
        shown = [message.text.partition("\n")[0] for message in self._chat.messages()]
        self._campaign.tell(f"killed after {self._requests - begun} requests; shown: {shown}, {self._chat.files()}")

    @asynccontextmanager
    async def _bot(self) -> AsyncIterator[asyncio.subprocess.Process]:
        self._agent.feeds.clear()
        settings = environment(self._folder, self._agent.url, **self._chat.settings)
        async with bot_process(self._folder, settings, limit_s=2 * END_S) as bot:
            yield bot

    async def _until(self, holds: Callable[[], object]) -> None:
        try:
            async with asyncio.timeout(END_S):
                while not holds():  # noqa: ASYNC110 -- another process makes it so
                    await asyncio.sleep(0.005)
        except TimeoutError:
            raise BrokenPromise(f"the story does not go on:\n{self._chat.transcript()}\n{self._log()}") from None

    # --- what is to be seen

    @property
    def _requests(self) -> int:
        return self._chat.requests + len(self._agent.asked)

    def _saying(self, text: str) -> list[Message]:
        return [message for message in self._chat.messages() if text in message.text]

    @property
    def results(self) -> int:
        return len(self._saying(RESULT))

    def _maybe_told(self) -> bool:
        return any(MAYBE_TOLD in " ".join(message.text.split()) for message in self._chat.messages())

    def _told(self) -> tuple[list[str], list[str]]:
        return [message.text for message in self._chat.messages()], self._chat.files()

    def _made(self) -> list[str]:
        [job] = self._agent.jobs.values()
        names = [self._agent.files[file_id][0].filename for file_id in job.result_files]
        return [name for name in names if name in FOR_OLLAMA]

    def _all_told(self) -> bool:
        """Say whether the bot owes nothing any more, by what it has written down."""
        with closing(sqlite3.connect(f"file:{self._folder / 'bot' / DATABASE}?mode=ro", uri=True)) as database:
            kept = database.execute("SELECT COUNT(*), SUM(NOT delivered) FROM cards").fetchone()
            waiting = database.execute("SELECT COUNT(*) FROM requests").fetchone()
        return bool(kept[0] > 0 and kept[1] == 0 and waiting[0] == 0)

    def _log(self) -> str:
        log = self._folder / "bot" / "bot.log"
        return log.read_text(encoding="utf-8") if log.exists() else ""

    # --- what was promised

    def _promise(self, holds: object, otherwise: str) -> None:
        self._campaign.promise(holds, f"{otherwise}\n{self._chat.transcript()}")

    def check(self) -> None:
        """Compare what the person has before them with what was promised."""
        most = 1 + self.asked + (self.kills if self._chat.doubles else 0)
        self._promise(len(self._agent.jobs) == 1, f"one request made the jobs {list(self._agent.jobs)}")
        ended = [message.id for message in self._chat.messages() if message.text.startswith("toast · done")]
        self._promise(ended == [self._card], f"the card is {self._card}, and it ended on {ended}")
        self._promise(1 <= self.results <= most, f"{self.results} results after {self.kills} kills")
        sent = Counter(self._chat.files())
        lost = [name for name in self._made() if not 1 <= sent[name] <= 1 + self.asked + self.kills]
        self._promise(not lost, f"of {lost} not one each, nor one more for each kill: {sent}")
        self._promise("Traceback" not in self._log(), f"a bot met an error of its own:\n{self._log()}")
