"""Logs of roleplay, as SillyTavern keeps them: a line a message, of which `is_user` says who wrote it."""

import re
from collections.abc import Iterator
from typing import Any

from agent.data.readers.exports.export import Row, bounded
from agent.data.readers.exports.talk import Turn, joined, talk_row, turn
from agent.data.readers.raw_row import RawRow

UNSET = ("", "unused", None)  # in place of a name
_USER = re.compile(r"\{\{user\}\}|<user>", re.IGNORECASE)
_CHARACTER = re.compile(r"\{\{char\}\}|<(?:bot|char)>", re.IGNORECASE)


def fits(first: list[Row]) -> bool:
    """Say whether rows are messages of a log, or begin with the line above them."""
    return any("mes" in row and "is_user" in row for row in first[:3])


def read(rows: Iterator[RawRow]) -> Iterator[RawRow]:
    """Yield the talk of a file; another begins with each line that names the two."""
    header: Row = {}
    log: list[RawRow] = []
    for raw in bounded(rows):
        if raw.value is None:
            yield raw
        elif "mes" in raw.value:
            log.append(raw)
        elif "character_name" in raw.value or "user_name" in raw.value or "chat_metadata" in raw.value:
            yield from _talk(header, log)
            header, log = raw.value, []
        else:
            yield raw
    yield from _talk(header, log)


def _talk(header: Row, log: list[RawRow]) -> Iterator[RawRow]:
    said = [it.value for it in log if it.value and not it.value.get("is_system")]
    if not said:
        return
    users = [it.get("name") for it in said if it.get("is_user")]
    characters = list(dict.fromkeys(str(it.get("name")) for it in said if not it.get("is_user")))
    names = (
        _name(header.get("user_name"), users, "User"),
        _name(header.get("character_name"), characters, "Assistant"),
    )
    several = len(characters) > 1
    yield talk_row(
        RawRow(line=log[0].line, unit=log[0].unit, value={}), joined(_turn(it, names, several) for it in said)
    )


def _name(given: Any, speaking: list[Any], otherwise: str) -> str:
    return str(next((name for name in (given, *speaking) if name not in UNSET), otherwise))


def _turn(message: Row, names: tuple[str, str], several: bool) -> Turn:
    user, character = names
    extra = message.get("extra")
    reasoning = extra.get("reasoning") if isinstance(extra, dict) else None
    name = message.get("name")
    if message.get("is_user"):
        return turn("user", _filled(_words(message), user, character))
    speaking = str(name) if several and name not in UNSET else character
    text = _filled(_words(message), user, speaking)
    thought = _filled(reasoning, user, speaking) if isinstance(reasoning, str) else ""
    return turn("assistant", f"{speaking}: {text}" if several and text.strip() else text, thought)


def _words(message: Row) -> str:
    """Return what a message says: of several answers that were swiped through, the one that was kept."""
    said = message.get("mes")
    swipes, chosen = message.get("swipes"), message.get("swipe_id")
    if not said and isinstance(swipes, list) and isinstance(chosen, int) and 0 <= chosen < len(swipes):
        said = swipes[chosen]
    return said if isinstance(said, str) else ""


def _filled(text: str, user: str, character: str) -> str:
    return _CHARACTER.sub(lambda _found: character, _USER.sub(lambda _found: user, text))
