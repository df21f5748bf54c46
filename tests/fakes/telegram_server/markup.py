"""Telegram's HTML as it reads it: https://core.telegram.org/bots/api#html-style."""

import html
import re
from dataclasses import dataclass, field

TAGS = {"b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "code", "pre", "a", "blockquote"}
_TOKEN = re.compile(r"<(/?)([a-zA-Z-]+)((?:\s[^<>]*)?)>|<|&([^;\s]*);?")
_MENTION = re.compile(r"(?<!\w)@(\w{4,32})")
_PERSON = re.compile(r'\shref="tg://user\?id=(\d+)"')


class MarkupError(ValueError):
    """What Telegram answers to HTML that it cannot read."""


@dataclass(kw_only=True)
class Parsed:
    """What a reader sees of some HTML."""

    text: str = ""
    spans: list[tuple[str, str]] = field(default_factory=list)  # tag, its text
    pings: list[str] = field(default_factory=list)  # ids and @names of who is notified


def parse(source: str, mode: str | None) -> Parsed:
    """Read a text; raise MarkupError for tags that are unknown, unclosed or crossed."""
    if mode is None:
        return Parsed(text=source, pings=_MENTION.findall(source))
    assert mode == "HTML", mode
    parsed, open_tags, position = Parsed(), list[tuple[str, int]](), 0
    loose = ""  # text outside code, in which names are found
    for token in _TOKEN.finditer(source):
        between = source[position : token.start()]
        position = token.end()
        parsed.text += between
        in_code = any(tag in {"code", "pre"} for tag, _ in open_tags)
        loose += " " if in_code else between
        if token[4] is not None:
            parsed.text += _entity(token[4])
        elif token[2] is None or token[2].lower() not in TAGS:
            raise MarkupError(f'Unsupported start tag "{token[2] or ""}" at byte offset {token.start()}')
        elif not token[1]:
            open_tags.append((token[2].lower(), len(parsed.text)))
            parsed.pings += _PERSON.findall(token[3])
        else:
            if not open_tags or open_tags[-1][0] != token[2].lower():
                raise MarkupError(f"Unmatched end tag at byte offset {token.start()}")
            tag, start = open_tags.pop()
            parsed.spans.append((tag, parsed.text[start:]))
    if open_tags:
        raise MarkupError(f"Can't find end tag corresponding to start tag {open_tags[-1][0]}")
    rest = source[position:]
    parsed.text += rest
    parsed.pings += _MENTION.findall(loose + rest)
    return parsed


def _entity(name: str) -> str:
    if name not in {"lt", "gt", "amp", "quot"} and not name.startswith("#"):
        return f"&{name}"
    return html.unescape(f"&{name};")
