"""A message or a tap as what was asked. Pure."""

import re
from dataclasses import dataclass, replace
from enum import Enum

from telegram import CallbackQuery, Document, Message, MessageOriginUser, User
from telegram.constants import ChatType, MessageEntityType

from bot.core.call import Named
from bot.words.arguments import split_words
from bot.words.plain_words import asks_to_train

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
class TelegramRequest:
    """A message, understood."""

    kind: Kind
    command: str = ""
    said: str = ""  # the words of a message that is no command
    arguments: tuple[str, ...] = ()
    document: Document | None = None
    chat_name: str = ""
    mentioned: tuple[Named, ...] = ()


def read_message(message: Message, *, my_id: int, my_name: str) -> TelegramRequest | None:
    """Understand a message; None: it is not for us."""
    private = message.chat.type == ChatType.PRIVATE
    typed = _COMMAND.fullmatch((message.text or message.caption or "").strip())
    if typed is not None:
        if typed[2] is not None and typed[2].lower() != my_name.lower():
            return None
        command = typed[1].lower()
        return TelegramRequest(
            kind=Kind.command,
            command=ALIASES.get(command, command),
            arguments=() if command in ALIASES else split_words(typed[3] or ""),
            document=message.document or _answered_file(message),
            chat_name=message.chat.title or "",
            mentioned=_mentioned(message),
        )
    said = message.text or message.caption or ""
    addressed = private or _answers(message, my_id) or _names(said, my_name)
    said = re.sub(rf"@{my_name}\b", " ", said, flags=re.IGNORECASE).strip()
    if not addressed or not (said or message.effective_attachment):
        return None
    if message.document is None:
        return TelegramRequest(kind=Kind.other, said=said, chat_name=message.chat.title or "")
    words = asks_to_train(said) if said else None
    if words is None:
        return TelegramRequest(kind=Kind.file, document=message.document, chat_name=message.chat.title or "")
    return TelegramRequest(
        kind=Kind.command,
        command=OFFERED.removeprefix("/"),
        arguments=words,
        document=message.document,
        chat_name=message.chat.title or "",
    )


def read_press(query: CallbackQuery) -> TelegramRequest | None:
    """Understand a tap on one of our buttons; None: it is none of ours."""
    typed = _COMMAND.fullmatch(query.data or "")
    if typed is None:
        return None
    asked = TelegramRequest(kind=Kind.command, command=typed[1], arguments=_words(typed))
    if not isinstance(query.message, Message):
        return asked
    document = _answered_file(query.message) if query.data == OFFERED else None
    return replace(asked, document=document, chat_name=query.message.chat.title or "")


def file_name(document: Document) -> str:
    """Return a file's name, or one made up by its kind."""
    if document.file_name:
        return document.file_name
    return "file.csv" if document.mime_type == "text/csv" else "file.jsonl"


def _words(typed: "re.Match[str]") -> tuple[str, ...]:
    return split_words(typed[3] or "")


def _mentioned(message: Message) -> tuple[Named, ...]:
    """Return whom a message names by a mention that tells their id, or else whose message it answers.

    A bare @name tells no id: https://core.telegram.org/bots/api#messageentity.
    """
    entities = [*(message.entities or ()), *(message.caption_entities or ())]
    users = [it.user for it in entities if it.type == MessageEntityType.TEXT_MENTION and it.user is not None]
    named = {user.id: _named(user) for user in users if not user.is_bot}
    return tuple(named.values()) or _answered_person(message)


def _answered_person(message: Message) -> tuple[Named, ...]:
    """Return who wrote the message that this one answers, or wrote it before it was forwarded; nobody for a bot's."""
    answered = message.reply_to_message
    if answered is None or answered.sender_chat is not None:
        return ()
    if message.is_topic_message and answered.message_id == message.message_thread_id:
        return ()  # Telegram calls each message of a topic an answer to the one that opened it
    if answered.contact is not None and answered.contact.user_id is not None:
        contact = answered.contact
        return (Named(id=str(contact.user_id), name=" ".join(filter(None, (contact.first_name, contact.last_name)))),)
    if answered.forward_origin is not None:
        origin = answered.forward_origin
        author = origin.sender_user if isinstance(origin, MessageOriginUser) else None
    else:
        author = answered.from_user
    return (_named(author),) if author is not None and not author.is_bot else ()


def _named(user: User) -> Named:
    return Named(id=str(user.id), name=user.full_name)


def _answered_file(message: Message) -> Document | None:
    return message.reply_to_message.document if message.reply_to_message is not None else None


def _names(said: str, my_name: str) -> bool:
    """Say whether a message names the bot. With its privacy on, Telegram hands on none that does only that."""
    return re.search(rf"@{re.escape(my_name)}\b", said, re.IGNORECASE) is not None


def _answers(message: Message, my_id: int) -> bool:
    answered = message.reply_to_message
    return answered is not None and answered.from_user is not None and answered.from_user.id == my_id
