"""kill -9 of a bot on Telegram: tests/soak/chats.py. Telegram delivers again what no bot has confirmed."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from tests.bot.process import on_telegram
from tests.fakes.telegram_server import FakeTelegram, Person, running_telegram
from tests.fakes.telegram_server.messages import Shown
from tests.soak import chats
from tests.soak.campaign import Campaign

MIA = 7


def run(campaign: Campaign) -> str:
    """Play it; return what happened."""
    return chats.run(campaign, visit)


@asynccontextmanager
async def visit() -> AsyncIterator[chats.Chat]:
    """Give a private chat on a server of its own."""
    async with running_telegram(time.time) as telegram:
        yield PrivateChat(telegram)


class PrivateChat:
    """Mia and the bot."""

    doubles = True

    def __init__(self, telegram: FakeTelegram) -> None:
        self._telegram = telegram
        self._mia = Person(telegram, MIA, "Mia")
        self.settings = on_telegram(telegram)

    @property
    def requests(self) -> int:
        return len(self._telegram.called)

    def messages(self) -> Sequence[Shown]:
        return self._telegram.messages(MIA)

    def files(self) -> list[str]:
        return [message.document.name for message in self.messages() if message.document is not None]

    def transcript(self) -> str:
        return self._telegram.transcript(MIA)

    async def ask(self, line: str, *, with_file: bool = False) -> None:
        if with_file:
            self._mia.send_file("rows.jsonl", caption=line)
        else:
            self._mia.say(line)

    async def press(self, label: str, card: int) -> None:
        self._mia.press(label, message_id=card)
