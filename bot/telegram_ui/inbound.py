"""A message or a tap as what was asked. Pure; edited messages never get here."""

import re
from dataclasses import dataclass
from enum import Enum

from telegram import CallbackQuery, Document, Message
from telegram.constants import ChatType

OFFERED = "/finetune"  # the line of the button under a file; the file is what that message answers
DECLINED = "no"
ALIASES = {"start": "help"}  # Telegram shows a Start button, and passes on what a link asked for
_COMMAND = re.compile(r"/(\w{1,64})(?:@(\w+))?(?:\s+(.*))?", re.DOTALL | re.ASCII)


class Kind(Enum):
    """What a message is to us."""

    command = "command"
    file = "file"  # without a word of what to do with it
    other = "other"  # for us, but nothing we know


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A message, understood."""

    kind: Kind
    command: str = ""
    arguments: tuple[str, ...] = ()
    document: Document | None = None


def read_message(message: Message, *, my_id: int, my_name: str) -> Asked | None:
    """Understand a message; None: it is not for us."""
    private = message.chat.type == ChatType.PRIVATE
    typed = _COMMAND.fullmatch((message.text or message.caption or "").strip())
    if typed is not None:
        if typed[2] is not None and typed[2].lower() != my_name.lower():
            return None
        command = typed[1].lower()
        return Asked(
            kind=Kind.command,
            command=ALIASES.get(command, command),
            arguments=() if command in ALIASES else tuple((typed[3] or "").split()),
            document=message.document or _answered_file(message),
        )
    if message.document is not None:
        return Asked(kind=Kind.file, document=message.document) if private or _answers(message, my_id) else None
    said_something = bool(message.text or message.caption or message.effective_attachment)
    return Asked(kind=Kind.other) if private and said_something else None


def read_press(query: CallbackQuery) -> Asked | None:
    """Understand a tap on one of our buttons; None: it is none of ours."""
    typed = _COMMAND.fullmatch(query.data or "")
    if typed is None or not isinstance(query.message, Message):
        return Asked(kind=Kind.command, command=typed[1], arguments=_words(typed)) if typed else None
    document = _answered_file(query.message) if query.data == OFFERED else None
    return Asked(kind=Kind.command, command=typed[1], arguments=_words(typed), document=document)


def file_name(document: Document) -> str:
    """Return a file's name, or one made up by its kind."""
    if document.file_name:
        return document.file_name
    return "file.csv" if document.mime_type == "text/csv" else "file.jsonl"


def _words(typed: "re.Match[str]") -> tuple[str, ...]:
    return tuple((typed[3] or "").split())


def _answered_file(message: Message) -> Document | None:
    return message.reply_to_message.document if message.reply_to_message is not None else None


def _answers(message: Message, my_id: int) -> bool:
    answered = message.reply_to_message
    return answered is not None and answered.from_user is not None and answered.from_user.id == my_id
