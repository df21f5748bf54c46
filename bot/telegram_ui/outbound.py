"""A Reply as Telegram's HTML and inline buttons. Nothing untrusted becomes markup, a link to a person or a ping."""

import html
import re

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.core.reply import Button, Copy, Reply
from bot.telegram_ui.layout import length, lines, safe
from bot.telegram_ui.limits import BUTTONS_A_ROW, CALLBACK_BYTES, CAPTION_LENGTH, TEXT_LENGTH
from bot.telegram_ui.place import TelegramPlace
from bot.words.format import flow, plain


def render(reply: Reply, place: TelegramPlace, *, caption: bool = False) -> str:
    """Return the HTML of a reply, within the length that a text or a caption may have."""
    caption = caption or reply.image is not None or bool(reply.files)
    room = CAPTION_LENGTH if caption else TEXT_LENGTH
    below = _below(reply)
    while below and length("".join(map(_visible, below))) > room // 2:
        below.pop()  # never so with our own replies: pages() has made room
    left = room - length("".join(_visible(block) + "\n\n" for block in below))
    body = "\n".join(_kept(lines(reply, place, room=left), left))
    return "\n\n".join(block for block in [body, *below] if block)


def keyboard(reply: Reply) -> InlineKeyboardMarkup | None:
    """Return the buttons, at most three a row; each carries its line, so that it works for ever."""
    buttons = [
        InlineKeyboardButton(text=button.label, callback_data=button.line) for button in reply.buttons if _fits(button)
    ]
    rows = [buttons[start : start + BUTTONS_A_ROW] for start in range(0, len(buttons), BUTTONS_A_ROW)]
    return InlineKeyboardMarkup(rows) if rows else None


def _kept(pieces: list[str], room: int) -> list[str]:
    """Leave out whole lines at the end until the rest fits."""
    kept: list[str] = []
    for piece in pieces:
        room -= length(_visible(piece)) + 1
        if room < (0 if piece is pieces[-1] else 1):
            return [*kept, "…"]
        kept.append(piece)
    return kept


def _below(reply: Reply) -> list[str]:
    blocks = []
    if reply.image is not None and not reply.live:  # a live card says its figures itself
        blocks.append(safe("\n".join(flow(reply.image.alt_text))))
    blocks += [_copy(copy) for copy in reply.copy]
    blocks += [f"{safe(button.label)}: <code>{_exact(button.line)}</code>" for button in reply.buttons
               if not _fits(button)]  # fmt: skip
    return blocks


def _copy(copy: Copy) -> str:
    """Return lines that a tap copies; a link stands bare, so that a tap opens it."""
    lines = "\n".join(_exact(line) for line in copy.lines)
    if copy.link:
        return "\n".join([safe("\n".join(flow(copy.intro))), lines])
    tag = "pre" if len(copy.lines) > 1 else "code"
    return "\n".join([safe("\n".join(flow(copy.intro))), f"<{tag}>{lines}</{tag}>"])


def _exact(text: str) -> str:
    """Return a line to copy as it is: inside code Telegram makes no links."""
    return html.escape(plain(text), quote=False)


def _visible(block: str) -> str:
    return html.unescape(re.sub(r"</?\w[^<>]*>", "", block))


def _fits(button: Button) -> bool:
    return len(button.line.encode()) <= CALLBACK_BYTES
