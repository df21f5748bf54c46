"""Turns by person: whoever asks for much waits behind their own, and nobody else waits behind them."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from itertools import count

REMEMBERED = 1000  # persons whose last turn is known


class Turns:
    """Lets a few in at once, and of one person as many as `each`; next is whose last turn is longest ago."""

    def __init__(self, *, at_once: int, each: int = 1) -> None:
        self._free = at_once
        self._each = each
        self._inside: Counter[Hashable] = Counter()
        self._waiting: dict[Hashable, deque[asyncio.Future[None]]] = {}  # persons in the order in which they came
        self._serial = count(1)
        self._last_turn: dict[Hashable, int] = {}

    @asynccontextmanager
    async def turn(self, whose: Hashable) -> AsyncIterator[None]:
        """Wait for a turn, and have it as long as the block lasts."""
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(whose, deque()).append(mine)
        self._hand_out()
        try:
            await mine
        except asyncio.CancelledError:
            self._give_up(whose, mine)
            raise
        try:
            yield
        finally:
            self._take_back(whose)

    def _hand_out(self) -> None:
        while self._free:
            may = [whose for whose in self._waiting if self._inside[whose] < self._each]
            if not may:
                return
            whose = min(may, key=lambda each: self._last_turn.get(each, 0))
            self._pop(whose).set_result(None)
            self._free -= 1
            self._inside[whose] += 1
            self._last_turn.pop(whose, None)
            self._last_turn[whose] = next(self._serial)
            if len(self._last_turn) > REMEMBERED:
                del self._last_turn[next(iter(self._last_turn))]

    def _pop(self, whose: Hashable) -> "asyncio.Future[None]":
        line = self._waiting[whose]
        first = line.popleft()
        if not line:
            del self._waiting[whose]
        return first

    def _take_back(self, whose: Hashable) -> None:
        self._free += 1
        self._inside[whose] -= 1
        if not self._inside[whose]:
            del self._inside[whose]
        self._hand_out()

    def _give_up(self, whose: Hashable, mine: "asyncio.Future[None]") -> None:
        """Leave the line; a turn that came at the same moment goes to the next."""
        if mine.done() and not mine.cancelled():
            self._take_back(whose)
            return
        line = self._waiting.get(whose)
        if line is not None and mine in line:
            line.remove(mine)
            if not line:
                del self._waiting[whose]
