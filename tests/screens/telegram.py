"""A Telegram message as a phone shows it: our own page, with the bubble, the type and the keyboard of the app."""

import base64
import html
from dataclasses import dataclass
from string import Template

from bot.core.reply import Reply
from bot.telegram_ui.outbound import keyboard, render
from bot.telegram_ui.place import TelegramPlace

PAGE = Template("""<!doctype html><meta charset="utf-8"><style>
* { box-sizing: border-box; margin: 0 }
body { background: #b8c7a3; font: 16px/1.31 Roboto, system-ui, sans-serif; color: #0b0b0b; padding: 10px }
.card { max-width: 420px; width: fit-content; min-width: 60% }
.card + .card { margin-top: 10px }
.mine { margin-left: auto; min-width: 0 }
.mine .bubble { background: #e3fdc9; border-radius: 15px 15px 4px 15px }
.file { background: #4fae4e; color: #fff; border-radius: 8px; padding: 8px 12px; margin: 2px 0 4px; width: fit-content }
.bubble { background: #fff; border-radius: 15px 15px 15px 4px; padding: 7px 11px 9px; overflow: hidden;
          white-space: pre-wrap; overflow-wrap: anywhere; box-shadow: 0 1px 1px #0002 }
.bubble img { display: block; margin: -7px -11px 7px; width: calc(100% + 22px) }
b { font-weight: 600 }
code, pre { font: 14.5px "Roboto Mono", "DejaVu Sans Mono", monospace; color: #1d7ac2 }
blockquote { border-left: 3px solid #40a7e3; background: #40a7e318; border-radius: 4px; padding: 3px 8px }
i { color: #5b6b73 }
.row { display: flex; gap: 4px; margin-top: 4px }
.row span { flex: 1; background: #4c6a3f99; color: #fff; border-radius: 6px; padding: 9px 4px; text-align: center;
            font-size: 14.5px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis }
</style>$chat""")


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What the person has sent."""

    words: str = ""
    file: str = ""


async def page(*messages: Reply | Sent) -> str:
    """Return the page of one message, or of a chat."""
    return PAGE.substitute(chat="".join([await _shown(message) for message in messages]))


async def _shown(message: Reply | Sent) -> str:
    if isinstance(message, Sent):
        file = f'<div class="file">{html.escape(message.file)}</div>' if message.file else ""
        return f'<div class="card mine"><div class="bubble">{file}{html.escape(message.words)}</div></div>'
    picture = ""
    if message.image is not None:
        content = b"".join([chunk async for chunk in message.image.file.open()])
        picture = f'<img src="data:image/png;base64,{base64.b64encode(content).decode()}">'
    markup = keyboard(message)
    rows = "".join(
        f'<div class="row">{"".join(f"<span>{html.escape(button.text)}</span>" for button in row)}</div>'
        for row in (markup.inline_keyboard if markup is not None else ())
    )
    text = render(message, TelegramPlace(chat=1)).replace("</blockquote>\n", "</blockquote>")  # a block ends its line
    return f'<div class="card"><div class="bubble">{picture}{text}</div>{rows}</div>'
