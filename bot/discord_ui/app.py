"""Connect to Discord and serve, again and again. discord.py resumes a dropped gateway; a dead one begins anew here."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route
from pydantic import SecretStr

from bot.core.call import Attachment
from bot.core.chat import Chat
from bot.core.clock import Clock, backoff_s
from bot.discord_ui import texts
from bot.discord_ui.chat import DiscordChat
from bot.discord_ui.client import HearthClient
from bot.discord_ui.connection import DiscordConnection
from bot.discord_ui.files import find_again
from bot.discord_ui.inbound import PLATFORM
from bot.discord_ui.place import DiscordPlace
from bot.discord_ui.trouble import NotThereError, chat_error
from bot.dispatch.command import Core
from bot.errors import FrontEndError
from shared.language import _
from shared.people import RequestedBy

logger = logging.getLogger(__name__)

BAD_TOKEN, DISALLOWED_INTENTS = 4004, 4014  # as which the gateway closes


class DiscordFrontEnd:
    """One bot account."""

    platform = PLATFORM

    def __init__(
        self,
        token: SecretStr,
        *,
        api_base: str | None,
        gateway: str | None,
        clock: Clock,
        read_messages: bool = False,
    ) -> None:
        """`api_base`, up to and with /api/v10, and `gateway`: a server other than Discord's own.

        `read_messages`: hear what is said in threads, which the owner has to switch on at Discord, too.
        """
        self._token = token
        self._api_base = api_base
        self._gateway = gateway
        self._clock = clock
        self._read_messages = read_messages
        self._line = DiscordConnection(clock)

    async def run(self, core: Core) -> None:
        """Connect and serve until cancelled. Raise FrontEndError if Discord does not know the token."""
        failures = 0
        with _pointed_at(self._api_base, self._gateway):
            while True:
                client = HearthClient(core, self._line, read_messages=self._read_messages)
                try:
                    await self._serve(client)
                except (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError) as error:
                    if _is_bad_token(error):
                        self._line.refused = True
                        raise FrontEndError(_(texts.NOT_LET_IN), param="DISCORD_TOKEN") from None
                    if self._read_messages and _lacks_intent(error):
                        self._read_messages = False
                        logger.warning("Discord refuses the Message Content intent; I go on without it")
                        sys.stderr.write(f"{_(texts.NO_CONTENT_INTENT)}\n")
                        continue
                    failures = 1 if client.ever_ready else failures + 1
                    if failures == 1:
                        logger.warning("%s. I keep trying.", chat_error(error))
                finally:
                    self._line.disconnect()
                    await client.stop()
                await self._clock.sleep(backoff_s(max(failures, 1)))

    def open_chat(self, chat_id: str) -> Chat | None:
        """Return a chat by its id, connected or not."""
        place = DiscordPlace.read(chat_id)
        return DiscordChat(self._line, place) if place is not None else None

    async def as_now(self, who: RequestedBy) -> RequestedBy:
        """Return a person with the roles that they have on their server now: none, if they left it."""
        server, person = who.server, who.person
        if server is None or not (server.isdecimal() and person.isdecimal()):
            return who
        try:
            member = await self._line.send(lambda client: client.http.get_member(int(server), int(person)))
        except NotThereError:
            return who.model_copy(update={"roles": ()})
        return who.model_copy(update={"roles": tuple(str(role) for role in member["roles"])})

    async def reopen(self, reference: str) -> Attachment:
        """Return a file that was sent before, by a fresh link where there is one."""
        return await find_again(self._line, reference)

    async def _serve(self, client: HearthClient) -> None:
        await client.login(self._token.get_secret_value())
        self._line.connect(client)
        await client.sync()
        await client.connect(reconnect=False)


def _is_bad_token(error: Exception) -> bool:
    closed = isinstance(error, discord.ConnectionClosed) and error.code == BAD_TOKEN
    return closed or isinstance(error, discord.LoginFailure)


def _lacks_intent(error: Exception) -> bool:
    closed = isinstance(error, discord.ConnectionClosed) and error.code == DISALLOWED_INTENTS
    return closed or isinstance(error, discord.PrivilegedIntentsRequired)


@contextmanager
def _pointed_at(api_base: str | None, gateway: str | None) -> Iterator[None]:
    """Have the library, which knows one Discord only, speak to another for the time of the block."""
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    Route.BASE = api_base or Route.BASE
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway) if gateway else DiscordWebSocket.DEFAULT_GATEWAY
    try:
        yield
    finally:
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = before
