"""A Reply as one Components V2 card. Nothing untrusted becomes markup, a link or a ping."""

import re

from discord import AllowedMentions, ButtonStyle, MediaGalleryItem, Object
from discord.ui import ActionRow, Button, Container, LayoutView, MediaGallery, TextDisplay
from discord.ui import File as FileItem

from bot.core.reply import Button as Line
from bot.core.reply import Copy, Reply, Weight
from bot.discord_ui.layout import ACCENTS, lines, mentioned
from bot.discord_ui.limits import (
    ALT_LENGTH,
    BUTTONS,
    BUTTONS_A_ROW,
    CUSTOM_ID_LENGTH,
    LABEL_LENGTH,
    TEXT_LENGTH,
)
from bot.discord_ui.markup import code, escape
from bot.words.format import clip, flow, one_line

STYLES = {
    Weight.usual: ButtonStyle.secondary,
    Weight.primary: ButtonStyle.primary,
    Weight.danger: ButtonStyle.danger,
}


def card(reply: Reply) -> LayoutView:
    """Return a reply's text, picture and buttons. Its picture is the attachment of `picture_name`."""
    container: Container[LayoutView] = Container(TextDisplay(render(reply)), accent_colour=ACCENTS[reply.tone])
    if reply.image is not None:
        where = f"attachment://{attached_name(reply.image.file.name)}"
        container.add_item(MediaGallery(MediaGalleryItem(where, description=clip(reply.image.alt_text, ALT_LENGTH))))
    for row in _rows(reply):
        container.add_item(row)
    return _sealed(LayoutView(timeout=None).add_item(container))


def file_list(names: list[str]) -> LayoutView:
    """Return a message of attachments. Components hide an attachment that none of them names."""
    view = LayoutView(timeout=None)
    for name in names:
        view.add_item(FileItem(f"attachment://{name}"))
    return _sealed(view)


def attached_name(name: str) -> str:
    """Return a file's name as Discord keeps it, so that it can be referred to."""
    return re.sub(r"[^\w.-]", "_", name, flags=re.ASCII).removeprefix("SPOILER_") or "file"


def pings(reply: Reply) -> AllowedMentions:
    """Return whom a message may notify: the one person that it names, and nobody else."""
    person = mentioned(reply)
    return AllowedMentions(everyone=False, roles=False, replied_user=False, users=[Object(person)] if person else False)


def render(reply: Reply) -> str:
    """Return a reply's Markdown, within the length of one message; whole lines are left out at its end."""
    below = _below(reply)
    while below and len("\n".join(below)) > TEXT_LENGTH // 2:
        below.pop()  # never so with our own replies: pages() has made room
    tail = "".join(f"\n\n{block}" for block in below)
    room = TEXT_LENGTH - len(tail)
    kept: list[str] = []
    for line in lines(reply):
        if len(line) + 3 > room:
            kept.append("…")
            break
        room -= len(line) + 1
        kept.append(line)
    return ("\n".join(kept) + tail).strip("\n") or "…"


def _rows(reply: Reply) -> list[ActionRow[LayoutView]]:
    """Return the buttons; each carries its line, so that it works for ever. Discord takes no line twice."""
    lines = {button.line: button for button in reply.buttons if _fits(button)}
    buttons = [_button(button) for button in lines.values()][:BUTTONS]
    starts = range(0, len(buttons), BUTTONS_A_ROW)
    return [ActionRow(*buttons[start : start + BUTTONS_A_ROW]) for start in starts]


def _button(button: Line) -> Button[LayoutView]:
    return Button(label=clip(one_line(button.label), LABEL_LENGTH), custom_id=button.line, style=STYLES[button.weight])


def _below(reply: Reply) -> list[str]:
    blocks = [_copy(copy) for copy in reply.copy]
    return [*blocks, *(f"{escape(it.label)}:\n{code(it.line)}" for it in reply.buttons if not _fits(it))]


def _copy(copy: Copy) -> str:
    intro = "\n".join(escape(line) for line in flow(copy.intro))
    if copy.link:
        return "\n".join([intro, *(f"<{line}>" for line in copy.lines)])  # in brackets, or Discord would fetch it
    return f"{intro}\n{code(chr(10).join(copy.lines))}"


def _fits(button: Line) -> bool:
    return len(button.line) <= CUSTOM_ID_LENGTH


def _sealed(view: LayoutView) -> LayoutView:
    """Keep the library from remembering a view for every message: buttons are found by what they carry."""
    view.stop()
    return view
