"""The child that holds a model, as the agent sees it: started, asked, ended."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Self

from agent.chat.protocol import LINE_LIMIT, Line, Load, Question
from agent.children.priority import OomScore, lower_priority, offer_to_oom_killer

KILL_S = 30.0  # for the system to take back what a killed child held
TAIL_BYTES = 4096


log = logging.getLogger(__name__)


class ChildDiedError(Exception):
    """It ended by itself. The text is how, and the end of what it printed; for the log, not for a person."""


class Child:
    """One process with one model. Ask it one thing at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._tail = bytearray()
        self._listening = asyncio.create_task(self._listen(), name=f"chat-{process.pid}")

    @classmethod
    async def spawn(cls, command: Sequence[str], environment: Mapping[str, str]) -> Self:
        """Start the process, below everybody's priority. It knows no model yet."""
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=dict(environment),
            start_new_session=True,
            limit=LINE_LIMIT,
        )
        lower_priority(process.pid)
        offer_to_oom_killer(process.pid, OomScore.CHAT)
        return cls(process)

    @property
    def pid(self) -> int:
        """Return the process's number."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Say whether it can be asked."""
        return self._process.returncode is None

    async def tell(self, line: Load | Question, *, limit_s: float, heard: Callable[[str], None] | None = None) -> Line:
        """Send a line and return the answer; `heard` gets each piece of it, where pieces are asked for.

        Raises ChildDiedError, and TimeoutError after `limit_s`.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        async with asyncio.timeout(limit_s):
            with contextlib.suppress(ConnectionError):  # it has just died, which the next line tells
                stdin.write(line.model_dump_json().encode() + b"\n")
                await stdin.drain()
            answer = await _whole(stdout, heard)
        if not answer.endswith(b"\n"):
            await self._process.wait()
            await asyncio.wait({self._listening})
            printed = self._tail.decode(errors="replace").strip()
            raise ChildDiedError(f"exit {self._process.returncode}: {printed}")
        return Line.model_validate_json(answer)

    async def end(self) -> None:
        """Kill it, and wait until its memory is free, but not for ever: a driver or disk that hangs may hold it."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        try:
            async with asyncio.timeout(KILL_S):
                await self._process.wait()
                await asyncio.wait({self._listening})
        except TimeoutError:
            log.warning("the child %d of a chat was killed and does not go away", self.pid)

    async def _listen(self) -> None:
        """Keep the end of what it prints; it would stand still if nobody read that."""
        assert self._process.stderr is not None
        while chunk := await self._process.stderr.read(65536):
            self._tail += chunk
            del self._tail[:-TAIL_BYTES]


async def _whole(stdout: asyncio.StreamReader, heard: Callable[[str], None] | None) -> bytes:
    """Return the line behind the last piece; one that is cut off, or empty, where the process has ended."""
    while True:
        line = await stdout.readline()
        piece = Line.model_validate_json(line).piece if line.endswith(b"\n") else None
        if piece is None:
            return line
        if heard is not None:
            heard(piece)
