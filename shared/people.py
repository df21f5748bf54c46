"""People: on whose behalf a request is made, what they are to this machine, and how that is changed."""

import json
import unicodedata
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from shared.schema import Request, Response

HEADER = "Hearth-Requested-By"  # a RequestedBy as compact ASCII JSON, on requests that have no body
HEADER_LIMIT = 8000  # characters; a header line longer than 8190 is not taken by common servers
NAME_LIMIT = 64
ROLES_LIMIT = 250  # as many as a Discord server can have
TERMINAL = "terminal"  # the platform of whoever sits at the bot's own terminal: they hold the key

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[\w.:@+-]+$")]


def _showable(name: str) -> str:
    """Return a name in one line, without invisible characters, cut to its limit."""
    spaced = " ".join(name.split())
    return "".join(char for char in spaced if unicodedata.category(char)[0] != "C")[:NAME_LIMIT].strip()


DisplayName = Annotated[str, AfterValidator(_showable)]  # what people call it; may be empty, and proves nothing


class RequestedBy(Request):
    """A person as a chat platform knows them. Without it, a request acts for the owner of the key."""

    platform: Identifier  # discord, telegram, terminal
    person: Identifier  # the platform's id of the person
    chat: Identifier  # the platform's id of the channel or chat; of a thread or topic: that of where it belongs
    server: Identifier | None = None  # the Discord server or Telegram group that the chat is in
    roles: Annotated[tuple[Identifier, ...], Field(max_length=ROLES_LIMIT)] = ()  # the platform's ids of theirs there
    name: DisplayName | None = None  # as others read it
    private: bool = False  # nobody else reads this chat
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")] = "en"  # in which they are answered

    def __str__(self) -> str:
        return f"{self.name or 'somebody'} ({self.platform} {self.person}, chat {self.chat})"


def header_of(requested_by: RequestedBy) -> str:
    """Return what HEADER holds."""
    given = requested_by.model_dump(mode="json", exclude_defaults=True)
    return json.dumps(given, ensure_ascii=True, separators=(",", ":"))


class Role(StrEnum):
    """What a person may do on this machine, in short. Nobody is anything until they are allowed."""

    owner = "owner"  # everything; made by pairing
    admin = "admin"  # acts on anyone's job, and takes the machine back
    member = "member"  # starts jobs, and controls their own
    stranger = "stranger"  # was never allowed
    denied = "denied"  # was told no, whatever their chat or platform roles are allowed


class Action(StrEnum):
    """What can be asked of the agent. `agent.auth.permissions` says who may."""

    pair = "pair"
    see_self = "see_self"
    see_machine = "see_machine"
    see_queue = "see_queue"
    start_job = "start_job"  # all that leads to one: sending a file, inspecting it, planning
    use_plan = "use_plan"  # start the job of a plan
    see_plan = "see_plan"
    see_file = "see_file"  # its bytes, and what was understood of them
    delete_file = "delete_file"
    link_file = "link_file"  # a link to a result that needs no key
    try_model = "try_model"  # ask what a job made
    watch_job = "watch_job"  # its events, samples, loss plot, log and checkpoints
    cancel_job = "cancel_job"
    pause_job = "pause_job"
    resume_job = "resume_job"
    pause_machine = "pause_machine"  # and resume it
    follow_all = "follow_all"  # the feed of everything
    see_people = "see_people"
    change_people = "change_people"
    approve_model = "approve_model"
    move_chat = "move_chat"  # a chat goes on under another id
    make_code = "make_code"  # a new pairing code
    read_code = "read_code"  # the pairing code as it stands


class GrantKind(StrEnum):
    """Whom a grant is for."""

    person = "person"
    role = "role"  # whoever has this role on a Discord server
    chat = "chat"  # whoever writes in this channel or chat
    server = "server"  # whoever writes on this Discord server or in this Telegram group


class Grant(Response):
    """What one person, role, chat or server is to this machine."""

    platform: str
    kind: GrantKind
    id: str  # the platform's
    name: str  # as it was called when the grant was made
    role: Role
    created_at: int


class PeopleList(Response):
    """The answer of GET /v1/people: owners first, then as they came."""

    object: Literal["list"] = "list"
    data: list[Grant]
    approved_models: list[str] = []  # Hugging Face ids that the owner has said yes to


class Me(Response):
    """The answer of GET /v1/people/me."""

    object: Literal["person"] = "person"
    role: Role
    may: list[Action]  # some of them only with what is their own
    owned: bool  # somebody has paired with this machine
    owner_names: list[str] = []  # one for each platform that they paired on


class GrantRequest(Request):
    """The body of POST /v1/people/grants: allow somebody, or change what they are."""

    platform: Identifier
    kind: GrantKind
    id: Identifier
    name: DisplayName = ""
    role: Literal["member", "admin"] = "member"
    requested_by: RequestedBy | None = None


class DenyRequest(Request):
    """The body of POST /v1/people/deny: a person, whatever else they are allowed by."""

    platform: Identifier
    id: Identifier
    name: DisplayName = ""
    requested_by: RequestedBy | None = None


class GrantDeleted(Response):
    """The answer to a grant or denial taken away."""

    object: Literal["grant"] = "grant"
    platform: str
    kind: GrantKind
    id: str
    deleted: Literal[True] = True


class ChatMove(Request):
    """The body of POST /v1/chats/moves: a Telegram group goes on as a supergroup. No other chat gets another id."""

    platform: Literal["telegram"]
    chat: Annotated[str, StringConstraints(pattern=r"^-[0-9]{1,12}$")]  # the group, as it was called before
    to: Annotated[str, StringConstraints(pattern=r"^-100[0-9]{3,17}$")]  # the supergroup
    requested_by: RequestedBy | None = None  # nobody: no person says that, but the bot that was told by the platform


class ChatMoved(Response):
    """What goes on under the new id; none of it when it was moved before."""

    object: Literal["chat.moved"] = "chat.moved"
    platform: str
    chat: str
    to: str
    grants: int = 0
    files: int = 0
    plans: int = 0
    jobs: int = 0


class PairRequest(Request):
    """The body of POST /v1/people/pair."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    requested_by: RequestedBy | None = None


class PairingRequest(Request):
    """The body of POST /v1/people/pairing; it may be left out."""

    requested_by: RequestedBy | None = None


class PairingCode(Response):
    """The code that makes whoever says it the owner, once."""

    object: Literal["pairing_code"] = "pairing_code"
    code: str | None  # ABCD-EFGH; None: there is none now
    expires_in_s: int | None = None  # None: it holds until it is used or the agent ends
