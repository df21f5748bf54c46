"""Time as an argument: the bot asks this for now and for sleep, so that tests own both."""

import asyncio
import time
from typing import Protocol

BACKOFF_S = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0)  # between tries to reach the agent; then 20 s for ever
HELD_BACK_S = (15.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0)  # of one card or request that fails; then 10 min for ever


def backoff_s(failures: int) -> float:
    """Return how long to wait after so many tries in a row that failed."""
    return _growing(BACKOFF_S, failures)


def held_back_s(failures: int) -> float:
    """Return how long one thing is left alone after so many failures in a row, while all others go on."""
    return _growing(HELD_BACK_S, failures)


def _growing(pauses: tuple[float, ...], failures: int) -> float:
    return pauses[max(0, min(failures, len(pauses)) - 1)]


class Clock(Protocol):
    """Wall time for what people read and what outlives a restart; monotonic time for spans; waiting."""

    def now(self) -> float:
        """Return seconds since 1970. Somebody may set it back."""
        ...

    def monotonic(self) -> float:
        """Return seconds since some moment. They only go forward, and mean nothing after a restart."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait that long."""
        ...


class SystemClock:
    """The real one."""

    def now(self) -> float:
        """Return seconds since 1970."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds since some moment."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait that long."""
        await asyncio.sleep(seconds)
