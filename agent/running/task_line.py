"""The tasks of one worker, one at a time, in the order in which they came."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agent.scheduling.task import Task
from agent.scheduling.worker import LOCAL


class TaskLine:
    """Gives one task after the other its turn on a worker, and says which one has it."""

    def __init__(self, worker: str = LOCAL) -> None:
        self.worker = worker
        self.current: Task | None = None
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def turn(self, task: Task, *, patience_s: float) -> AsyncIterator[None]:
        """Wait for the tasks before this one, then let it run. Raises TimeoutError after `patience_s`."""
        async with asyncio.timeout(patience_s):
            await self._turn.acquire()
        self.current = task
        try:
            yield
        finally:
            self.current = None
            self._turn.release()
