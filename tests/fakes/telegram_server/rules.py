"""What Telegram refuses, in its own words."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.fakes.telegram_server.markup import MarkupError, Parsed, parse

TEXT_LENGTH = 4096
CAPTION_LENGTH = 1024
CALLBACK_BYTES = 64
BUTTONS_A_ROW = 8
BUTTONS = 100
COMMAND_DESCRIPTION = 256
DESCRIPTION = 512
SHORT_DESCRIPTION = 120
PHOTO_BYTES = 10_000_000

REACTIONS = (  # https://core.telegram.org/bots/api#reactiontypeemoji
    *("❤", "👍", "👎", "🔥", "🥰", "👏", "😁", "🤔", "🤯", "😱", "🤬", "😢", "🎉", "🤩", "🤮", "💩", "🙏", "👌"),
    *("🕊", "🤡", "🥱", "🥴", "😍", "🐳", "❤\u200d🔥", "🌚", "🌭", "💯", "🤣", "⚡", "🍌", "🏆", "💔", "🤨", "😐", "🍓"),
    *(
        "🍾",
        "💋",
        "🖕",
        "😈",
        "😴",
        "😭",
        "🤓",
        "👻",
        "👨\u200d💻",
        "👀",
        "🎃",
        "🙈",
        "😇",
        "😨",
        "🤝",
        "✍",
        "🤗",
        "🫡",
    ),
    *("🎅", "🎄", "☃", "💅", "🤪", "🗿", "🆒", "💘", "🙉", "🦄", "😘", "💊", "🙊", "😎", "👾", "🤷\u200d♂", "🤷"),
    *("🤷\u200d♀", "😡"),
)
ACTIONS = {  # https://core.telegram.org/bots/api#sendchataction
    *("typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice", "upload_document"),
    *("choose_sticker", "find_location", "record_video_note", "upload_video_note"),
}


class RefusedError(Exception):
    """An answer that is not ok."""

    def __init__(self, status: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.parameters = parameters


def bad(description: str) -> RefusedError:
    return RefusedError(400, f"Bad Request: {description}")


def read_text(source: str, mode: str | None, *, caption: bool) -> Parsed:
    """Read a text or caption within its limits."""
    try:
        parsed = parse(source, mode)
    except MarkupError as error:
        raise bad(f"can't parse entities: {error}") from error
    parsed.text = parsed.text.strip()
    if len(parsed.text.encode("utf-16-le")) // 2 > (CAPTION_LENGTH if caption else TEXT_LENGTH):
        raise bad("message caption is too long" if caption else "message is too long")
    if not parsed.text and not caption:
        raise bad("message text is empty")
    return parsed


def read_buttons(source: str | None) -> list[list[dict[str, Any]]]:
    """Read an inline keyboard within its limits."""
    rows: list[list[dict[str, Any]]] = json.loads(source)["inline_keyboard"] if source else []
    if sum(map(len, rows)) > BUTTONS or any(len(row) > BUTTONS_A_ROW for row in rows):
        raise bad("too many buttons")
    for button in (button for row in rows for button in row):
        if not button["text"] or not 1 <= len(button["callback_data"].encode()) <= CALLBACK_BYTES:
            raise bad("BUTTON_DATA_INVALID")
    return rows


@dataclass(kw_only=True)
class Flood:
    """Counts what chats are sent: 20 a minute in groups, and in private one a second if that is switched on."""

    clock: Callable[[], float]
    private_per_s: float | None = None
    group_per_minute: int = 20

    def __post_init__(self) -> None:
        self.sent: dict[int, list[float]] = {}
        self.refused = 0

    def count(self, chat: int) -> None:
        now = self.clock()
        span_s, most = (60.0, self.group_per_minute) if chat < 0 else (1.0, self.private_per_s or math.inf)
        recent = [at for at in self.sent.get(chat, []) if at > now - span_s]
        if len(recent) >= most:
            self.refused += 1
            wait_s = max(1, math.ceil(recent[-int(most)] + span_s - now))
            raise RefusedError(429, f"Too Many Requests: retry after {wait_s}", retry_after=wait_s)
        self.sent[chat] = [*recent, now]
