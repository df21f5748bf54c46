"""Discord on loopback: real HTTP and a real WebSocket that say no where Discord does.

`server` is the wire, `rest` what a bot may ask, `interactions` the answers to commands and buttons, `gateway` the
socket, `rules` what is refused, `markup` how text is read, `world` what is in the channels, `people` what a test does
as a human.
"""

from tests.fakes.discord_server.people import Person
from tests.fakes.discord_server.server import TOKEN, FakeDiscord, running_discord

__all__ = ["TOKEN", "FakeDiscord", "Person", "running_discord"]
