"""Telegram on loopback: a real HTTP server that speaks the Bot API and says no where Telegram does.

`server` is the wire, `methods` what a bot may ask, `rules` what is refused, `markup` how HTML is read, `messages` what
is in the chats, `person` what a test does as a human.
"""

from tests.fakes.telegram_server.person import Person
from tests.fakes.telegram_server.server import TOKEN, FakeTelegram, running_telegram

__all__ = ["TOKEN", "FakeTelegram", "Person", "running_telegram"]
