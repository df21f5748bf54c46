"""What the Telegram tests share: the real library between a fake Telegram and a fake agent."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import SecretStr

from bot.agent_api.client import AgentClient
from bot.agent_api.transport import Address, Transport
from bot.commands import COMMANDS
from bot.dispatch.command import Core
from bot.dispatch.front_end import FrontEnds
from bot.dispatch.resend import Resender
from bot.following.feed import FeedFollower
from bot.following.subscriptions import Subscriptions
from bot.kept.chat_moves import Moves
from bot.kept.database import DATABASE, Database
from bot.kept.ignored import Ignored
from bot.kept.offers import Offers
from bot.kept.preferences import Preferences
from bot.kept.requests import Requests
from bot.kept.talks import Talks
from bot.telegram_ui.app import TelegramFrontEnd
from bot.telegram_ui.limits import CLOUD, Limits
from tests.bot.harness import FakeClock
from tests.fakes.agent_server import KEY, FakeAgent
from tests.fakes.telegram_server import TOKEN, FakeTelegram, Person
from tests.fakes.telegram_server.messages import Shown

MIA = 7
TEAM = -100123


class Story:
    """A bot on Telegram, and who talks with it."""

    def __init__(self, telegram: FakeTelegram, agent: FakeAgent, clock: FakeClock) -> None:
        self.telegram, self.agent, self.clock = telegram, agent, clock
        self.mia = Person(telegram, MIA, "Mia")
        self.core: Core = None  # type: ignore[assignment]  # set while a bot runs
        self.front_end: TelegramFrontEnd = None  # type: ignore[assignment]

    def shown(self, chat: int = MIA) -> list[Shown]:
        return self.telegram.messages(chat)

    def last(self, chat: int = MIA) -> Shown:
        return self.shown(chat)[-1]

    def flat(self, chat: int = MIA) -> str:
        """Return all that the bot says there now, without line breaks."""
        return " ".join(" ".join(message.text for message in self.shown(chat)).split())

    async def until(self, true: Callable[[], object], *, step_s: float = 0.05) -> None:
        """Let everything work until something holds, moving the clock on by `step_s` a look."""
        try:
            async with asyncio.timeout(20):
                while not true():
                    self.clock.advance(step_s)
                    await asyncio.sleep(0.005)
        except TimeoutError:
            chats = "\n\n".join(self.telegram.transcript(chat) for chat in self.telegram.world.chats)
            raise AssertionError(f"it did not come to that:\n{chats}\n{self.telegram.called[-20:]}") from None

    async def settled(self) -> None:
        """Let whatever was sent be taken in and answered."""
        await self.until(lambda: not self.telegram.updates)
        for _ in range(40):
            self.clock.advance(0.05)
            await asyncio.sleep(0.005)

    async def says(self, text: str, *, chat: int = MIA) -> None:
        """Wait until the bot's newest words there begin so."""
        await self.until(lambda: self.shown(chat) and self.last(chat).text.startswith(text))

    async def planned(self, *, chat: int = MIA) -> None:
        """Wait until the bot's newest message there is a plan."""
        await self.until(lambda: self.shown(chat) and self.last(chat).labels[:1] == ["Start"])

    async def starts_a_job(self, *, chat: int = MIA, name: str = "toast") -> Shown:
        """Send the sample and press Start; return the live card."""
        number = len(self.agent.jobs) + 1
        self.mia.say(f"/finetune sample name:{name}", chat=chat)
        await self.planned(chat=chat)
        card = self.last(chat)
        self.mia.press("Start", chat=chat, message_id=card.id)
        await self.until(lambda: len(self.agent.jobs) == number and self._is_live(card))
        return card

    def _is_live(self, card: Shown) -> bool:
        """Say whether a message is a card that is being kept."""
        return str(card.id) in {kept.message_id for kept in self.core.subscriptions.undelivered()}


@asynccontextmanager
async def running_bot(
    story: Story,
    folder: Path,
    *,
    limits: Limits = CLOUD,
    connect: bool = True,
    address: Callable[[object], Address] | None = None,
) -> AsyncIterator[Story]:
    """Run a whole bot until the end of the block; `connect`: its front-end, too; `address`: of another agent."""
    agent, clock = story.agent, story.clock
    front_end = TelegramFrontEnd(SecretStr(TOKEN), api_base=story.telegram.url, clock=clock, limits=limits)
    front_ends = FrontEnds([front_end])
    async with Transport() as transport:
        with Database(folder / DATABASE) as database:
            subscriptions = Subscriptions(database)
            moves = Moves(database)
            preferences = Preferences(database)
            client = AgentClient(
                address or (lambda _who: Address(url=agent.url, key=KEY)), transport=transport, clock=clock, moves=moves
            )
            follow = FeedFollower(
                agent=client,
                subscriptions=subscriptions,
                open_chat=front_ends.open_chat,
                clock=clock,
                moves=moves,
                preferences=preferences,
                as_now=front_ends.as_now,
            )
            story.front_end, story.core = front_end, Core(
                agent=client, subscriptions=subscriptions, requests=Requests(database),
                offers=Offers(database), talks=Talks(database, clock), preferences=preferences,
                ignored=Ignored(database), follow=follow, clock=clock,
                commands=COMMANDS,
            )  # fmt: skip
            keeper = Resender(
                story.core, open_chat=front_ends.open_chat, reopen=front_ends.reopen, as_now=front_ends.as_now
            )
            tasks = [asyncio.create_task(it) for it in (follow.run(), keeper.run())]
            tasks += [asyncio.create_task(front_end.run(story.core))] if connect else []
            try:
                yield story
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
