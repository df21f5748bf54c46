"""A Reply as Telegram's HTML and inline buttons. Nothing untrusted becomes markup, a link to a person or a ping."""

import html
import re

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.core.reply import Button, Copy, Reply
from bot.telegram_ui.limits import BUTTONS_A_ROW, CALLBACK_BYTES, CAPTION_LENGTH, TEXT_LENGTH
from bot.telegram_ui.place import TelegramPlace
from bot.words.format import flow, plain

UNLINKED = "@\u2060"  # an unseen word joiner, so that a name in somebody's data pings nobody
_NAMING = re.compile(r"@(?=\w)")
_PERSON = re.compile(r"\d{1,20}")


def render(reply: Reply, place: TelegramPlace, *, caption: bool = False) -> str:
    """Return the HTML of a reply, within the length that a text or a caption may have."""
    caption = caption or reply.image is not None or bool(reply.files)
    room = CAPTION_LENGTH if caption else TEXT_LENGTH
    below = _below(reply)
    body = plain(reply.text)
    while below and length("".join(_visible(block) for block in below)) > room // 2:
        below.pop()  # never so with our own replies: pages() has made room
    body = shorten(body, room - length("".join(_visible(block) + "\n\n" for block in below)))
    blocks = [_body(body, reply, place), *below]
    return "\n\n".join(block for block in blocks if block)


def keyboard(reply: Reply) -> InlineKeyboardMarkup | None:
    """Return the buttons, at most three a row; each carries its line, so that it works for ever."""
    buttons = [
        InlineKeyboardButton(text=button.label, callback_data=button.line) for button in reply.buttons if _fits(button)
    ]
    rows = [buttons[start : start + BUTTONS_A_ROW] for start in range(0, len(buttons), BUTTONS_A_ROW)]
    return InlineKeyboardMarkup(rows) if rows else None


def shorten(text: str, room: int) -> str:
    """Leave out whole lines at the end until the text fits; a single line that is too long is cut."""
    if length(text) <= room:
        return text
    kept: list[str] = []
    for line in text.splitlines():
        if length("\n".join([*kept, line, "…"])) > room:
            break
        kept.append(line)
    if kept:
        return "\n".join([*kept, "…"])
    cut = text[:room]
    while length(cut) >= room:
        cut = cut[:-1]
    return cut + "…"


def length(text: str) -> int:
    """Return a text's length as Telegram counts it, in UTF-16 units."""
    return len(text.encode("utf-16-le")) // 2


def _body(text: str, reply: Reply, place: TelegramPlace) -> str:
    first, newline, rest = text.partition("\n")
    if not first:
        return ""
    head = f"<b>{_safe(first)}</b>" if reply.title else _safe(first)
    if reply.mention is not None and not place.private and _PERSON.fullmatch(reply.mention):
        head = f'<a href="tg://user?id={reply.mention}">{head}</a>'
    return head + newline + _safe(rest)


def _below(reply: Reply) -> list[str]:
    blocks = []
    if reply.image is not None and not reply.live:  # a live card says its figures itself
        blocks.append(_safe("\n".join(flow(reply.image.alt_text))))
    blocks += [_copy(copy) for copy in reply.copy]
    blocks += [f"{_safe(button.label)}: <code>{_exact(button.line)}</code>" for button in reply.buttons
               if not _fits(button)]  # fmt: skip
    return blocks


def _copy(copy: Copy) -> str:
    """Return lines that a tap copies; a link stands bare, so that a tap opens it."""
    lines = "\n".join(_exact(line) for line in copy.lines)
    if copy.link:
        return "\n".join([_safe("\n".join(flow(copy.intro))), lines])
    tag = "pre" if len(copy.lines) > 1 else "code"
    return "\n".join([_safe("\n".join(flow(copy.intro))), f"<{tag}>{lines}</{tag}>"])


def _safe(text: str) -> str:
    return html.escape(_NAMING.sub(UNLINKED, plain(text)), quote=False)


def _exact(text: str) -> str:
    """Return a line to copy as it is: inside code Telegram makes no links."""
    return html.escape(plain(text), quote=False)


def _visible(block: str) -> str:
    return html.unescape(re.sub(r"</?\w+>", "", block))


def _fits(button: Button) -> bool:
    return len(button.line.encode()) <= CALLBACK_BYTES
