"""A chat written down as a person sees it: who says what, and a message again when it says something else."""

import asyncio
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

LIMIT_S = 120
_FIGURES = re.compile(r"[\d.,:% ]+")


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A message as it stands on the screen now."""

    key: object  # the same for one message, however it reads
    where: str
    who: str
    lines: list[str]

    @property
    def state(self) -> str:
        """Return what its first line of text says, but for the figures in it."""
        return _FIGURES.sub(" ", next((line for line in self.lines if not line.startswith("[")), ""))


class Transcript:
    """Begins empty; the story looks at the chat again and again."""

    def __init__(self) -> None:
        self._entries: list[tuple[str, Seen]] = []  # how it is headed, and what is seen
        self._seen: dict[object, Seen] = {}

    def does(self, who: str, *lines: str, where: str = "") -> None:
        """Write down what a person sends or presses."""
        self._entries.append((who, Seen(key=None, where=where, who=who, lines=list(lines))))

    def look(self, messages: Iterable[Seen]) -> None:
        """Write down what is new. A card whose figures alone have moved is written as it stands last."""
        for message in messages:
            before = self._seen.get(message.key)
            if message == before:
                continue
            self._seen[message.key] = message
            newest = self._entries[-1][1] if self._entries else None
            if newest is not None and newest.key == message.key and newest.state == message.state:
                self._entries[-1] = (self._entries[-1][0], message)
            else:
                self._entries.append((message.who if before is None else f"{message.who}, the same message", message))

    def __str__(self) -> str:
        blocks, where = [], ""
        for head, seen in self._entries:
            if seen.where != where:
                where = seen.where
                blocks.append(f"--- {where} ---")
            lines = [f"{head} › {seen.lines[0]}", *seen.lines[1:]] if seen.key is None else [f"{head}:", *seen.lines]
            blocks.append("\n".join(lines))
        return "\n\n".join(blocks) + "\n"

    def write(self, path: Path) -> None:
        """Leave it where people find it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(self), encoding="utf-8")


class Screen:
    """What a person has before them, with a transcript of it."""

    def __init__(self, messages: Callable[[], Iterable[Seen]]) -> None:
        self._messages = messages
        self.transcript = Transcript()

    async def until(self, holds: Callable[[], object]) -> None:
        """Look until something holds."""
        try:
            async with asyncio.timeout(LIMIT_S):
                while not holds():
                    self.transcript.look(self._messages())
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"it did not come to that:\n{self.transcript}") from None
        self.transcript.look(self._messages())
