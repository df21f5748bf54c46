"""Whom a person means with /allow and /deny: somebody they name or answer, this chat, this server. No ids. Pure."""

from dataclasses import dataclass
from typing import Literal

from bot.core.call import Call, Named
from bot.core.reply import Button, Reply
from bot.errors import BadCallError
from bot.words.format import clip, one_line
from shared.language import _
from shared.people import GrantKind

CHAT = "chat"
SERVER = "server"
KEYWORDS = {CHAT: GrantKind.chat, "here": GrantKind.chat, SERVER: GrantKind.server}


@dataclass(frozen=True, kw_only=True)
class PeopleReference:
    """Who was meant, and as what."""

    named: tuple[Named, ...]  # empty: nobody was named
    role: Literal["member", "admin"] = "member"


def read_whom(call: Call) -> PeopleReference:
    """Return who was meant; raise BadCallError for words that name nobody."""
    role: Literal["member", "admin"] = "member"
    words = []
    for word in call.arguments:
        option, _colon, value = word.lower().replace("=", ":", 1).partition(":")
        if option != "as":
            words.append(word)
        elif value in ("admin", "member"):
            role = "admin" if value == "admin" else "member"
        else:
            raise BadCallError(
                _("{word} is not possible. There are as:member and as:admin.", word=clip(one_line(word), 30))
            )
    if len(words) == 1 and words[0].lower() in KEYWORDS:
        return PeopleReference(named=(_place(call, KEYWORDS[words[0].lower()]),), role=role)
    if words and not call.mentioned:
        raise BadCallError(
            _(
                "I cannot tell who “{words}” is. Answer a message of theirs with /{command}: then I see who wrote it.",
                words=clip(one_line(" ".join(words)), 30),
                command=call.command,
            )
        )
    return PeopleReference(named=call.mentioned, role=role)


def choices(call: Call, question: str, *, places: bool = True) -> Reply:
    """Return how to name somebody, with a button for each place that is meant as easily."""
    buttons = []
    if places and not call.private:
        buttons.append(Button(label=_("This chat"), line=f"/{call.command} {CHAT}"))
        if _has_server(call):
            buttons.append(Button(label=_("This server"), line=f"/{call.command} {SERVER}"))
    elsewhere = _("If it is elsewhere, forward it to me.") if call.private else ""
    how = _(
        "One person: answer a message of theirs with /{command}, or name them in it with @. {elsewhere}",
        command=call.command,
        elsewhere=elsewhere,
    )
    return Reply(title=question, summary=how, buttons=tuple(buttons))


def called(named: Named) -> str:
    """Return how a text calls somebody."""
    name = one_line(named.name)
    match named.kind:
        case GrantKind.person:
            return name or _("That person")
        case GrantKind.role:
            return _("Whoever has the role {name}", name=name).strip()
        case GrantKind.chat:
            return _("Whoever writes in {name}", name=name or _("this chat"))
        case GrantKind.server:
            return _("Whoever writes on {name}", name=name or _("this server"))


def _place(call: Call, kind: GrantKind) -> Named:
    if call.private:
        raise BadCallError(
            _(
                "Nobody else writes here. Say that in the chat or on the server itself: /{command}.",
                command=call.command,
            )
        )
    if kind is GrantKind.chat:
        return Named(kind=kind, id=call.rights_chat_id or call.chat_id, name=call.chat_name)
    if call.server is None:
        raise BadCallError(
            _("This chat is on no server. /{command} {chat} means the chat.", command=call.command, chat=CHAT)
        )
    return Named(kind=kind, id=call.server, name=call.server_name)


def _has_server(call: Call) -> bool:
    """Say whether the chat is one of several of a server; a Telegram group is both."""
    return call.server is not None and call.server != (call.rights_chat_id or call.chat_id)
