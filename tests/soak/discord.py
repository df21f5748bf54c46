"""kill -9 of a bot on Discord: tests/soak/chats.py. What no bot answers in time, the person does once more."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from tests.bot.process import on_discord
from tests.fakes.discord_server import FakeDiscord, Person, running_discord
from tests.fakes.discord_server.interactions import ANSWER_S, Happened
from tests.fakes.discord_server.world import Shown
from tests.soak import chats
from tests.soak.campaign import Campaign

MIA = 7
ROWS = ("rows.jsonl", b'{"messages": []}\n')


def run(campaign: Campaign) -> str:
    """Play it; return what happened."""
    return chats.run(campaign, visit)


@asynccontextmanager
async def visit() -> AsyncIterator[chats.Chat]:
    """Give a channel on a server of its own."""
    async with running_discord(time.time) as discord:
        yield Channel(discord)


class Channel:
    """Mia and the bot, among others."""

    doubles = False  # for some minutes Discord knows a message by its nonce

    def __init__(self, discord: FakeDiscord) -> None:
        self._discord = discord
        self._mia = Person(discord, MIA, "Mia")
        self._team = discord.world.add_channel(name="team").id
        self.settings = on_discord(discord)

    @property
    def requests(self) -> int:
        return len(self._discord.called)

    def messages(self) -> Sequence[Shown]:
        return self._discord.messages(self._team)

    def files(self) -> list[str]:
        return [name for message in self._discord.world.messages.values() for name in message.files]

    def transcript(self) -> str:
        return self._discord.world.transcript(self._team)

    async def ask(self, line: str, *, with_file: bool = False) -> None:
        command, *words = line.removeprefix("/").split()
        given = {"job" if command == "status" else word.partition(":")[0]: word.rpartition(":")[2] for word in words}
        file = ROWS if with_file else None
        await self._until_answered(lambda: self._mia.slash(command, channel=self._team, file=file, **given))

    async def press(self, label: str, card: int) -> None:
        message = self._discord.world.messages[card]
        await self._until_answered(
            lambda: self._mia.press(label, message=message), while_=lambda: label in message.labels
        )

    async def _until_answered(
        self, do: Callable[[], Awaitable[Happened]], *, while_: Callable[[], bool] = lambda: True
    ) -> None:
        """Do it once a bot is there, and again when "the application did not respond"."""
        while while_():
            if not (self._discord.gateway.connected and self._discord.rest.commands):
                await asyncio.sleep(0.01)
                continue
            happened = await do()
            while happened.answered_at is None and time.time() - happened.at <= ANSWER_S:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            if happened.answered_at is not None:
                return
