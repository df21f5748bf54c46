"""The connection that all chats of a bot share: while it is down, nothing is sent and nothing gets lost."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeVar

from discord import Client

from bot.core.clock import Clock
from bot.discord_ui.pictures import Pictures
from bot.discord_ui.threads import Threads
from bot.discord_ui.trouble import translated
from bot.errors import ChatBusyError, ChatError

T = TypeVar("T")

PATIENCE = 3  # times that a message which nobody sends again by itself is tried when Discord says "later"
LOGIN_S = 10.0  # that a message waits for the bot to be let in
BUSY_S = 5.0
REMEMBERED = 500  # interactions, of which a resumed gateway may deliver some again


class DiscordConnection:
    """One bot account, connected or not."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.threads = Threads()
        self.pictures = Pictures()
        self.locales: dict[int, str] = {}  # people's, as their last command or tap said: a message says none
        self.refused = False  # the token is of no use: nothing more is sent
        self._client: Client | None = None
        self._taken_in: deque[int] = deque(maxlen=REMEMBERED)  # interactions
        self._up = asyncio.Event()

    def connect(self, client: Client) -> None:
        """Send by this client from now on."""
        self._client = client
        self._up.set()

    def disconnect(self) -> None:
        """Send nothing until there is a new client."""
        self._client = None
        self._up.clear()

    def is_new(self, interaction_id: int) -> bool:
        """Note an interaction; return False for one that was noted before. A resumed gateway delivers some again."""
        if interaction_id in self._taken_in:
            return False
        self._taken_in.append(interaction_id)
        return True

    @property
    def client(self) -> Client | None:
        """Return the client, while there is one that was let in."""
        return self._client

    async def send(self, request: Callable[[Client], Awaitable[T]], *, patient: bool = True) -> T:
        """Make a request. Raises ChatError and its kin alone; ChatBusyError at once if it is not `patient`."""
        tries = PATIENCE if patient else 1
        while True:
            client = await self._connected()
            try:
                return await translated(request(client))
            except ChatBusyError as busy:
                tries -= 1
                if tries == 0:
                    raise
                await self.clock.sleep(busy.retry_after_s)

    async def _connected(self) -> Client:
        if self.refused:
            raise ChatError("Discord does not accept my token")
        if self._client is None:
            try:
                await asyncio.wait_for(self._up.wait(), LOGIN_S)
            except TimeoutError:
                raise ChatBusyError(BUSY_S) from None
        if self._client is None:
            raise ChatBusyError(BUSY_S)
        return self._client
