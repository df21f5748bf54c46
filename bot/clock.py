"""Time as an argument: the bot asks this for now and for sleep, so that tests own both."""

import asyncio
import time
from typing import Protocol

BACKOFF_S = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0)  # between tries to reach the agent; then 20 s for ever


def backoff_s(failures: int) -> float:
    """Return how long to wait after so many tries in a row that failed."""
    return BACKOFF_S[max(0, min(failures, len(BACKOFF_S)) - 1)]


class Clock(Protocol):
    """Wall time and waiting."""

    def now(self) -> float:
        """Return seconds since 1970."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait that long."""
        ...


class SystemClock:
    """The real one."""

    def now(self) -> float:
        """Return seconds since 1970."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Wait that long."""
        await asyncio.sleep(seconds)
