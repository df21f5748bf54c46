"""Which columns of a table of messages hold who speaks, what is said, where and when. Pure; decided by the first rows.

A table whose authors are not told by roles is only taken for one where few people speak often, and in turn.
"""

import re
from dataclasses import dataclass
from typing import Any

from agent.data.chat_rows import detect_form
from agent.data.readers.exports.export import Row
from agent.data.readers.exports.talk import is_prose
from agent.data.readers.unclear import words
from agent.data.turns import KNOWN_ROLES, Role
from shared.inspections import DatasetForm

THREAD = words(
    "conversationid convid convoid threadid thread sessionid session chatid chat dialogid dialogueid dialog dialogue "
    "talkid ticketid ticket callid interactionid channelid channel roomid room groupid conversation conversationname "
    "chatsession chatname messagetreeid topicid caseid discussionid"
)
WHO = (  # the likeliest first
    "role", "authorrole", "sendertype", "usertype", "authortype", "speakerrole", "sendername", "sender",
    "sendernickname", "fromname", "fromuser", "from", "speaker", "authorname", "author", "participant", "who", "party",
    "by", "username", "displayname", "nickname", "user", "name",
)  # fmt: skip
TEXT = (
    "content", "text", "message", "messagetext", "messagecontent", "messagebody", "textcontent", "turntext", "body",
    "msg", "utterance", "value",
)  # fmt: skip
AMBIGUOUS = words("author user name username who nickname displayname by from party")  # may as well name something else
WHO_ID = words("authorid senderid userid fromid speakerid")
WHEN = words(
    "timestamp time date createdat sentat ts datetime datesent createtime created creationtime sentdate timestampms "
    "unixtime messagedate"
)
ORDER = words(
    "turn turnid turnindex turnnumber order seq sequence position utteranceidx step messageindex messageorder idx "
    "index messagenumber turnno utteranceindex msgindex messageno"
)
PARENT = words("parentid parent replyto inreplyto inresponseto parentmessageid replytoid inresponsetotweetid")
KEY = words("messageid id uuid msgid tweetid")
ARTICLE = words(
    "title url link headline rating label score stars category genre subject sentiment response answer reply botreply "
    "agentreply output completion"
)  # beside no message
ME = "Me"
ENOUGH = 4  # rows, to tell people of a chat from authors
NAMED = 0.4  # of the rows at least say who speaks; in others it is whoever made the export
OFTEN = 0.5  # of the rows may have an author of their own


@dataclass(frozen=True, kw_only=True)
class MessageColumns:
    """The columns of a table of messages, by what they hold."""

    text: str
    who: str
    who_id: str | None = None
    thread: str | None = None
    when: str | None = None
    order: str | None = None
    parent: str | None = None
    key: str | None = None

    @property
    def read(self) -> frozenset[str]:
        """Return the names of all of them."""
        found = (self.text, self.who, self.who_id, self.thread, self.when, self.order, self.parent, self.key)
        return frozenset(name for name in found if name is not None)


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", str(name)).casefold()


_ASSISTANTS = words("chatbot llm gemini virtualassistant operator support supportagent rep representative")
_USERS = words("consumer visitor caller enduser")
ROLES: dict[str, Role] = {
    **{_plain(name): role for name, role in KNOWN_ROLES.items()},
    **dict.fromkeys(_ASSISTANTS, "assistant"),
    **dict.fromkeys(_USERS, "user"),
}


def find_columns(first: list[Row]) -> MessageColumns | None:
    """Return the columns of a table of messages; None where rows are anything else."""
    if not first or not all(first) or detect_form(first[0]) not in (None, DatasetForm.text):
        return None
    names = {_plain(name): name for name in first[0]}
    who = next((names[name] for name in WHO if name in names and _speaks(first, names[name])), None)
    text = next((it for name in TEXT if (it := names.get(name)) and it != who and _is_text(first, it)), None)
    if who is None or text is None:
        return None
    columns = MessageColumns(
        text=text, who=who,
        **{part: next((it for name, it in names.items() if name in known and it not in (who, text)), None)
           for part, known in (("who_id", WHO_ID), ("thread", THREAD), ("when", WHEN), ("order", ORDER),
                               ("parent", PARENT), ("key", KEY))},
    )  # fmt: skip
    if tells_roles(first, who):
        return columns if {role_of(row.get(who)) for row in first} - {"system"} else None
    return columns if _is_a_chat(first, columns, names) else None


def speaker(value: Any) -> str | None:
    """Return who speaks by a cell: empty is whoever made the export; None where it names nobody."""
    if value is None:
        return ME
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value).strip() or ME


def _speaks(rows: list[Row], name: str) -> bool:
    speakers = [speaker(row.get(name)) for row in rows]
    return None not in speakers and sum(who != ME for who in speakers) >= NAMED * len(rows)


def _is_text(rows: list[Row], name: str) -> bool:
    texts = [row.get(name) for row in rows]
    return all(text is None or isinstance(text, str) for text in texts) and any(texts)


def role_of(value: Any) -> Role | None:
    """Return the role that a cell names; None for a person."""
    return ROLES.get(_plain(str(value)))


def tells_roles(rows: list[Row], who: str) -> bool:
    """Say whether the speakers of all rows are roles."""
    return all(role_of(row.get(who)) is not None for row in rows)


def _answers_stand_aside(rows: list[Row], columns: MessageColumns) -> bool:
    """Say whether another column holds sentences in most rows: then a row is more than one message."""
    others = set(rows[0]) - columns.read
    return any(sum(is_prose(name, row.get(name)) for row in rows) > OFTEN * len(rows) for name in others)


def _is_a_chat(rows: list[Row], columns: MessageColumns, names: dict[str, str]) -> bool:
    """Say whether authors are people of a chat: they come again, somewhere, some time."""
    speakers = [speaker(row.get(columns.who)) for row in rows]
    again = len(rows) >= ENOUGH and 2 <= len(set(speakers)) <= max(2, OFTEN * len(rows))
    if not again or (columns.thread is None and not ARTICLE.isdisjoint(names)) or _answers_stand_aside(rows, columns):
        return False
    if columns.thread is None and _plain(columns.who) in AMBIGUOUS and detect_form(rows[0]) is DatasetForm.text:
        return False  # texts with their authors
    placed = columns.thread or columns.when or columns.order or columns.parent or columns.who_id
    return placed is not None or _plain(columns.who) not in AMBIGUOUS
