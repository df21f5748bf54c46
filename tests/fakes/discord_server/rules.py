"""What Discord refuses, with its codes: https://docs.discord.com/developers/topics/opcodes-and-status-codes."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.discord_server.markup import read

Json = dict[str, Any]

V2, EPHEMERAL, SILENT, LOADING = 1 << 15, 1 << 6, 1 << 12, 1 << 7
TEXT, COMPONENTS, CUSTOM_ID, LABEL, ALT, FILES, ROW = 4000, 40, 100, 80, 1024, 10, 5
CONTAINER, ACTION_ROW, BUTTON, TEXT_DISPLAY, GALLERY, FILE = 17, 1, 2, 10, 12, 13
OLD_S = 3600.0
_NAME = re.compile(r"[-_'\w]{1,32}")


class RefusedError(Exception):
    """An answer that is not ok."""

    def __init__(self, status: int, code: int, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.retry_after = status, code, message, retry_after

    def body(self) -> Json:
        body: Json = {"message": self.message, "code": self.code}
        return body if self.retry_after is None else {**body, "retry_after": self.retry_after, "global": False}


def invalid(why: str) -> RefusedError:
    return RefusedError(400, 50035, f"Invalid Form Body: {why}")


def check(true: object, why: str) -> None:
    if not true:
        raise invalid(why)


@dataclass(kw_only=True)
class Layout:
    """The components of a message, read within their limits."""

    texts: list[str] = field(default_factory=list)
    buttons: list[Json] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    pictures: list[tuple[str, str]] = field(default_factory=list)  # where it is, alt text
    files: list[str] = field(default_factory=list)

    @property
    def visible(self) -> str:
        return "\n".join(read(text).text for text in self.texts)


def read_layout(components: list[Json]) -> Layout:
    """Read a message of components, or refuse it."""
    layout, parts = Layout(), list(_walk(components))
    check(parts, "components are required")
    check(len(parts) <= COMPONENTS, f"{len(parts)} components")
    for part in parts:
        _read_part(part, layout)
    check(sum(map(len, layout.texts)) <= TEXT, "text exceeds 4000 characters")
    ids = [button["custom_id"] for button in layout.buttons]
    check(len(ids) == len(set(ids)), "COMPONENT_CUSTOM_ID_DUPLICATED")
    return layout


def _read_part(part: Json, layout: Layout) -> None:
    kind = part["type"]
    if kind == TEXT_DISPLAY:
        check(part["content"], "empty text")
        layout.texts.append(part["content"])
    elif kind == BUTTON:
        check(1 <= len(part["custom_id"]) <= CUSTOM_ID and 1 <= len(part["label"]) <= LABEL, "bad button")
        layout.buttons.append(part)
    elif kind == ACTION_ROW:
        check(1 <= len(part["components"]) <= ROW, "too many buttons in a row")
        layout.rows.append([button["label"] for button in part["components"]])
    elif kind == GALLERY:
        check(1 <= len(part["items"]) <= 10, "bad gallery")
        for item in part["items"]:
            check(len(item.get("description") or "") <= ALT, "alt text too long")
            layout.pictures.append((item["media"]["url"], item.get("description") or ""))
    elif kind == FILE:
        check(part["file"]["url"].startswith("attachment://"), "a file must be an attachment")
        layout.files.append(part["file"]["url"])
    else:
        check(kind == CONTAINER, f"unknown component {kind}")


def _walk(components: list[Json]) -> list[Json]:
    return [part for one in components for part in (one, *_walk(one.get("components", [])))]


def check_commands(commands: list[Json]) -> None:
    """Check a table of commands as a whole."""
    kinds = [(command.get("type", 1), command["name"]) for command in commands]
    check(len(kinds) == len(set(kinds)), "APPLICATION_COMMANDS_DUPLICATE_NAME")
    check(sum(kind == 1 for kind, _ in kinds) <= 100, "more than 100 commands")
    for command in commands:
        options = command.get("options") or []
        check(len(options) <= 25, "more than 25 options")
        if command.get("type", 1) != 1:
            check(1 <= len(command["name"]) <= 32 and not command.get("description"), "bad menu")
            continue
        needed = [option.get("required", False) for option in options]
        check(needed == sorted(needed, reverse=True), "required options come first")
        for named in [command, *options]:
            check(_NAME.fullmatch(named["name"]) and named["name"] == named["name"].lower(), "bad name")
            check(1 <= len(named["description"]) <= 100, "bad description")
            check(not (named.get("autocomplete") and named.get("choices")), "autocomplete and choices")
            for choice in named.get("choices") or []:
                texts = [choice["name"], *(choice.get("name_localizations") or {}).values(), choice["value"]]
                check(all(1 <= len(text) <= 100 for text in texts), "bad choice")


@dataclass(kw_only=True)
class Flood:
    """Edits and messages per channel: 5 in 5 s, and 3 edits in 6 s where the message is older than an hour."""

    clock: Callable[[], float]
    young: tuple[int, float] = (5, 5.0)
    old: tuple[int, float] = (3, 6.0)

    def __post_init__(self) -> None:
        self.counted: dict[tuple[str, int], list[float]] = {}
        self.refused: list[int] = []  # codes

    def count_post(self, channel: int) -> None:
        self._count("post", channel, self.young, 0)

    def count_edit(self, channel: int, sent_at: float) -> None:
        if self.clock() - sent_at > OLD_S:
            self._count("old edit", channel, self.old, 30046)
        else:
            self._count("edit", channel, self.young, 0)

    def _count(self, what: str, channel: int, limit: tuple[int, float], code: int) -> None:
        most, span_s = limit
        now = self.clock()
        recent = [at for at in self.counted.get((what, channel), []) if at > now - span_s]
        if len(recent) >= most:
            self.refused.append(code)
            wait_s = round(recent[-most] + span_s - now, 3)
            raise RefusedError(429, code, "You are being rate limited.", retry_after=max(wait_s, 1.1))
        self.counted[what, channel] = [*recent, now]
