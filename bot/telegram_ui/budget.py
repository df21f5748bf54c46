"""How many messages a chat may be sent: counted by ourselves, so that Telegram seldom has to say no."""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.core.clock import Clock


@dataclass
class _Request:
    at: float  # when it ended, as Telegram may have counted it as late as that; when it began, while it is under way


class Budget:
    """At most so many requests in any span of so many seconds, and none before Telegram allows it again."""

    def __init__(self, *, count: int, per_s: float, clock: Clock) -> None:
        self._count = count
        self._per_s = per_s
        self._clock = clock
        self._made: list[_Request] = []
        self._blocked_until = -math.inf

    def wait_s(self, messages: int = 1) -> float:
        """Return how long to wait before a request of so many messages; 0: none."""
        now = self._clock.monotonic()
        self._made = sorted((made for made in self._made if made.at > now - self._per_s), key=lambda made: made.at)
        room = max(self._count - messages, 0) + 1  # as many as this may find there, and one
        free_at = self._made[-room].at + self._per_s if len(self._made) >= room else now
        return max(0.0, free_at - now, self._blocked_until - now)

    def block(self, seconds: float) -> None:
        """Make none for so long."""
        self._blocked_until = max(self._blocked_until, self._clock.monotonic() + seconds)

    @property
    def blocked(self) -> bool:
        """Whether Telegram said “later”, and it is not later yet."""
        return self._clock.monotonic() < self._blocked_until

    @asynccontextmanager
    async def turn(self, messages: int = 1) -> AsyncIterator[None]:
        """Wait for room, and hold it for the request of so many messages that is made in the block."""
        while (wait_s := self.wait_s(messages)) > 0:
            await self._clock.sleep(wait_s)
        request = _Request(self._clock.monotonic())
        self._made += [request] * messages
        try:
            yield
        finally:
            request.at = self._clock.monotonic()
            if request not in self._made:
                self._made += [request] * messages
