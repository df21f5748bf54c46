"""What the Discord tests share: the real library between a fake Discord and a fake agent."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import SecretStr

from bot.agent_api.client import AgentClient
from bot.agent_api.transport import Address, Transport
from bot.commands import COMMANDS
from bot.discord_ui.app import DiscordFrontEnd
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
from tests.bot.harness import FakeClock
from tests.fakes.agent_server import KEY, FakeAgent
from tests.fakes.discord_server import TOKEN, FakeDiscord, Person
from tests.fakes.discord_server.world import THREAD, Channel, Shown

MIA = 7
ROWS = ("rows.jsonl", b'{"messages": []}\n')


class Story:
    """A bot on Discord, and who talks with it: Mia, in a channel of her server unless she writes directly."""

    def __init__(self, discord: FakeDiscord, agent: FakeAgent, clock: FakeClock) -> None:
        self.discord, self.agent, self.clock = discord, agent, clock
        self.mia = Person(discord, MIA, "Mia")
        self.team = discord.world.add_channel(name="team").id
        self.core: Core = None  # type: ignore[assignment]  # set while a bot runs
        self.front_end: DiscordFrontEnd = None  # type: ignore[assignment]

    def shown(self, channel: int | None = None) -> list[Shown]:
        return self.discord.messages(self.team if channel is None else channel)

    def last(self, channel: int | None = None) -> Shown:
        """Return the bot's newest message there, or an empty one."""
        return next(reversed(self.shown(channel)), Shown(id=0, channel=0, author={}, sent_at=0))

    def flat(self, channel: int | None = None) -> str:
        """Return all that the bot says there now, without line breaks."""
        return " ".join(" ".join(message.text for message in self.shown(channel)).split())

    async def until(self, true: Callable[[], object], *, step_s: float = 0.05) -> None:
        """Let everything work until something holds, moving the clock on by `step_s` a look.

        The clock waits while somebody waits for a sign of life: how busy this machine is must not decide on 3 s.
        """
        try:
            async with asyncio.timeout(20):
                while not true():
                    if not self.discord.interactions.waiting:
                        self.clock.advance(step_s)
                    await asyncio.sleep(0.005)
        except TimeoutError:
            world = self.discord.world
            told = "\n\n".join(f"# {it.name}\n{world.transcript(it.id)}" for it in world.channels.values())
            raise AssertionError(f"it did not come to that:\n{told}\n{self.discord.called[-20:]}") from None

    async def settled(self) -> None:
        """Let whatever was done be taken in and answered."""
        for _ in range(40):
            self.clock.advance(0 if self.discord.interactions.waiting else 0.05)
            await asyncio.sleep(0.005)

    async def says(self, text: str, *, channel: int | None = None) -> None:
        """Wait until the bot's newest words there begin so."""
        await self.until(lambda: self.shown(channel) and self.last(channel).text.startswith(text))

    async def planned(self, *, channel: int | None = None) -> None:
        """Wait until the bot's newest message there is a plan."""
        await self.until(lambda: self.shown(channel) and self.last(channel).labels[:1] == ["Start"])

    async def starts_a_job(self, *, channel: int | None = None, name: str = "toast") -> Shown:
        """Have the sample planned and press Start; return the live card."""
        number, where = len(self.agent.jobs) + 1, self.team if channel is None else channel
        await self.mia.slash("finetune", channel=where, options="sample", name=name)
        await self.planned(channel=where)
        card = self.last(where)
        await self.mia.press("Start", message=card)
        await self.until(lambda: len(self.agent.jobs) == number and self._is_live(card))
        return card

    @property
    def threads(self) -> list[Channel]:
        return [it for it in self.discord.world.channels.values() if it.type == THREAD]

    async def gets_a_thread(self) -> Channel:
        """Have the log of the only job sent; return the thread that begins with it."""
        await self.mia.slash("log", channel=self.team, job="#1")
        await self.says("What happened")
        await self.mia.press("As a file", channel=self.team)
        await self.until(lambda: self.threads and self.last(self.threads[0].id).files)
        return self.threads[0]

    def _is_live(self, card: Shown) -> bool:
        """Say whether a message is a card that is being kept."""
        return str(card.id) in {kept.message_id for kept in self.core.subscriptions.undelivered()}


@asynccontextmanager
async def running_bot(
    story: Story, folder: Path, *, connect: bool = True, read_messages: bool = False
) -> AsyncIterator[Story]:
    """Run a whole bot until the end of the block; `connect`: wait until it is connected."""
    agent, clock, discord = story.agent, story.clock, story.discord
    front_end = DiscordFrontEnd(
        SecretStr(TOKEN),
        api_base=discord.api_base,
        gateway=discord.gateway_url,
        clock=clock,
        read_messages=read_messages,
    )
    front_ends = FrontEnds([front_end])
    async with Transport() as transport:
        with Database(folder / DATABASE) as database:
            subscriptions = Subscriptions(database)
            moves = Moves(database)
            preferences = Preferences(database)
            client = AgentClient(
                lambda _who: Address(url=agent.url, key=KEY), transport=transport, clock=clock, moves=moves
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
            logins = len(discord.gateway.identified)
            tasks = [asyncio.create_task(it) for it in (follow.run(), keeper.run(), front_end.run(story.core))]
            try:
                if connect:
                    await story.until(lambda: len(discord.gateway.identified) > logins or tasks[2].done(), step_s=0.01)
                yield story
            finally:
                ended = [task for task in tasks if task.done()]
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                for task in ended:
                    task.result()
