"""Discord's Markdown as a reader sees it, and whom a text would notify."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"(?P<block>```(?:\n)?(?P<code>.*?)(?:\n)?```)|(?P<inline>`(?P<short>[^`\n]+)`)|\\(?P<escaped>[^0-9A-Za-z\s])"
    r"|(?P<time><t:(?P<at>-?\d+):[a-zA-Z]>)|(?P<role><@&(?P<role_id>\d+)>)|(?P<user><@!?(?P<user_id>\d+)>)"
    r"|(?P<all>@(?:everyone|here))|(?P<link>\[[^\]\n]+\]\([^)\n]+\))|(?P<entity><(?:a?:\w+:\d+|#\d+|/[^>]+:\d+|id:\w+)>)"
    r"|(?P<bold>\*\*)|(?P<style>\*|_|~~|\|\|)|(?P<block_style>(?m:^)(?:#{1,3}|-#|>>>|>)[ \t])"
    r"|(?P<start>(?m:^)[ \t]*(?:[-*+]|\d+\.)[ \t])",
    re.DOTALL,
)

UNITS = (("days", 86_400), ("hours", 3600), ("minutes", 60), ("seconds", 1))


@dataclass(kw_only=True)
class Read:
    """What is seen of some Markdown."""

    text: str = ""
    spans: list[tuple[str, str]] = field(default_factory=list)  # kind, its source
    users: list[str] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)
    everyone: bool = False

    def kinds(self) -> set[str]:
        return {kind for kind, _ in self.spans}


def as_shown(source: str, *, people: Mapping[int, str], now: float) -> str:
    """Return what a phone shows of a text; what can be copied stands behind a bar."""

    def shown(token: re.Match[str]) -> str:
        if token["block"]:
            return "\n".join(f"│ {line}" for line in token["code"].splitlines())
        if token["time"]:
            return relative(int(token["at"]) - now)
        if token["user"]:
            return f"@{people.get(int(token['user_id']), token['user_id'])}"
        return str(
            token["short"]
            or token["escaped"]
            or ("" if token["bold"] or token["style"] or token["block_style"] else token[0])
        )

    return _TOKEN.sub(shown, source)


def relative(seconds: float) -> str:
    """Return a time as the clients show <t:…:R>."""
    unit, length = next((it for it in UNITS if abs(seconds) >= it[1]), UNITS[-1])
    count = round(abs(seconds) / length)
    words = f"{count} {unit}" if count != 1 else f"1 {unit.removesuffix('s')}"
    return f"in {words}" if seconds >= 0 else f"{words} ago"


def read(source: str) -> Read:
    """Read a text."""
    seen, position = Read(), 0
    for token in _TOKEN.finditer(source):
        seen.text += source[position : token.start()]
        position = token.end()
        kind = token.lastgroup if token.lastgroup not in {"code", "short", "at", "role_id", "user_id"} else None
        kind = kind or next(name for name in ("block", "inline", "time", "role", "user") if token[name])
        if kind == "escaped":
            seen.text += token["escaped"]
            continue
        seen.spans.append((kind, token["code"] or token["short"] or token["at"] or token[0]))
        if kind == "user":
            seen.users.append(token["user_id"])
        elif kind == "role":
            seen.roles.append(token["role_id"])
        elif kind == "all":
            seen.everyone = True
        shown = {
            "block": token["code"],
            "inline": token["short"],
            "bold": "",
            "style": "",
            "block_style": "",
            "time": f"<{token['at']}>",
        }
        seen.text += shown.get(kind, token[0]) or ""
    seen.text += source[position:]
    return seen


def pings(seen: Read, allowed: dict[str, object] | None) -> list[str]:
    """Return who is notified. Without a word on it, a bot's message notifies everybody that it names."""
    allowed = {"parse": ["users", "roles", "everyone"]} if allowed is None else allowed
    parse, users, roles = (allowed.get(key) or [] for key in ("parse", "users", "roles"))
    assert isinstance(parse, list)
    assert isinstance(users, list)
    assert isinstance(roles, list)
    told = [user for user in seen.users if "users" in parse or user in map(str, users)]
    told += [f"&{role}" for role in seen.roles if "roles" in parse or role in map(str, roles)]
    return told + (["everyone"] if seen.everyone and "everyone" in parse else [])
