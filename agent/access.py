"""Who may do what to which job, file or plan. Pure: `authorize` decides every request, and nobody else does.

Nobody may do anything until they are allowed. How far somebody reaches depends on what they are:

- `nothing`: refused.
- `own`: what they asked for themselves.
- `here`: that, and what was asked for in the chat they ask from.
- `everything`: anybody's, wherever it was asked for.

Whoever holds the agent's key without speaking for a person, or sits at the bot's terminal, may do all of it.
"""

from dataclasses import dataclass
from enum import IntEnum

from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.people import TERMINAL, Action, Grant, GrantKind, RequestedBy, Role


class Reach(IntEnum):
    """How far somebody reaches; and, of one thing, how far they have to reach for it."""

    nothing = 0
    own = 1
    here = 2
    everything = 3


NOTHING, OWN, HERE, EVERYTHING = Reach.nothing, Reach.own, Reach.here, Reach.everything

RULES: dict[Action, tuple[Reach, Reach, Reach, Reach]] = {
    #                      stranger    member      admin       owner
    Action.pair:          (EVERYTHING, EVERYTHING, EVERYTHING, EVERYTHING),
    Action.see_self:      (EVERYTHING, EVERYTHING, EVERYTHING, EVERYTHING),
    Action.see_machine:   (NOTHING,    EVERYTHING, EVERYTHING, EVERYTHING),
    Action.see_queue:     (NOTHING,    EVERYTHING, EVERYTHING, EVERYTHING),  # one machine for all: in short, all jobs
    Action.start_job:     (NOTHING,    HERE,       EVERYTHING, EVERYTHING),  # with a file that was sent here
    Action.use_plan:      (NOTHING,    OWN,        EVERYTHING, EVERYTHING),
    Action.see_plan:      (NOTHING,    HERE,       EVERYTHING, EVERYTHING),
    Action.see_file:      (NOTHING,    HERE,       EVERYTHING, EVERYTHING),
    Action.delete_file:   (NOTHING,    OWN,        EVERYTHING, EVERYTHING),
    Action.watch_job:     (NOTHING,    HERE,       EVERYTHING, EVERYTHING),
    Action.cancel_job:    (NOTHING,    OWN,        EVERYTHING, EVERYTHING),
    Action.pause_job:     (NOTHING,    OWN,        EVERYTHING, EVERYTHING),
    Action.resume_job:    (NOTHING,    OWN,        EVERYTHING, EVERYTHING),
    Action.pause_machine: (NOTHING,    NOTHING,    EVERYTHING, EVERYTHING),
    Action.follow_all:    (NOTHING,    NOTHING,    EVERYTHING, EVERYTHING),
    Action.see_people:    (NOTHING,    NOTHING,    EVERYTHING, EVERYTHING),
    Action.change_people: (NOTHING,    NOTHING,    NOTHING,    EVERYTHING),
    Action.approve_model: (NOTHING,    NOTHING,    NOTHING,    EVERYTHING),
    Action.make_code:     (NOTHING,    NOTHING,    NOTHING,    EVERYTHING),
    Action.read_code:     (NOTHING,    NOTHING,    NOTHING,    NOTHING),
}  # fmt: skip
_COLUMN = {Role.stranger: 0, Role.denied: 0, Role.member: 1, Role.admin: 2, Role.owner: 3}

PRIVATE_ONLY = frozenset({Action.make_code})  # its answer is a secret, so nobody else may read the chat

_WORDS: dict[Action, tuple[str, str]] = {  # in general, and of one thing
    Action.pair: ("pair", "pair with it"),
    Action.see_self: ("ask what they may do", "ask about it"),
    Action.see_machine: ("use this machine", "use it"),
    Action.see_queue: ("see its jobs", "see it"),
    Action.start_job: ("start jobs", "train on it"),
    Action.use_plan: ("start jobs", "start it"),
    Action.see_plan: ("see plans", "see it"),
    Action.see_file: ("see files", "see it"),
    Action.delete_file: ("delete files", "delete it"),
    Action.watch_job: ("watch jobs", "see more of it than its state"),
    Action.cancel_job: ("cancel jobs", "cancel it"),
    Action.pause_job: ("pause jobs", "pause it"),
    Action.resume_job: ("resume jobs", "resume it"),
    Action.pause_machine: ("pause and resume the whole machine", "pause it"),
    Action.follow_all: ("follow everything that happens", "follow it"),
    Action.see_people: ("see who is allowed", "see it"),
    Action.change_people: ("allow and deny people", "change it"),
    Action.approve_model: ("say yes to new models", "say yes to it"),
    Action.make_code: ("ask for a pairing code", "ask for it"),
    Action.read_code: ("read the pairing code", "read it"),
}


@dataclass(frozen=True, kw_only=True)
class Thing:
    """A job, file or plan that somebody wants something of."""

    name: str  # as a person reads it: "Job #12"
    made_by: RequestedBy | None  # None: the holder of the key
    how: str = "was started"


@dataclass(frozen=True, kw_only=True)
class People:
    """Everybody who is anything to this machine."""

    grants: tuple[Grant, ...] = ()

    @property
    def owners(self) -> list[Grant]:
        """Return the owner, once for each platform they paired on."""
        return [grant for grant in self.grants if grant.role is Role.owner]

    def of(self, kind: GrantKind, who: RequestedBy, *ids: str) -> list[Role]:
        """Return what these ids on a person's platform were granted."""
        return [
            grant.role
            for grant in self.grants
            if grant.platform == who.platform and grant.kind is kind and grant.id in ids
        ]


def holds_key(who: RequestedBy | None) -> bool:
    """Say whether a request comes from whoever holds the agent's key."""
    return who is None or who.platform == TERMINAL


def role_of(who: RequestedBy | None, people: People) -> Role:
    """Return what a person is: first by their own grant or denial, then the most of role, chat and server."""
    if who is None or holds_key(who):
        return Role.owner
    own = people.of(GrantKind.person, who, who.person)
    if own:
        return own[0]
    found = [
        *people.of(GrantKind.role, who, *who.roles),
        *people.of(GrantKind.chat, who, who.chat),
        *people.of(GrantKind.server, who, *([who.server] if who.server else [])),
    ]
    return max(found, key=lambda role: _COLUMN[role], default=Role.stranger)


def needed(who: RequestedBy | None, thing: Thing | None) -> Reach:
    """Return how far somebody must reach for a thing; nothing in particular is as near as their own."""
    if thing is None:
        return Reach.own
    maker = thing.made_by
    if who is None or maker is None or who.platform != maker.platform:
        return Reach.everything
    if who.person == maker.person:
        return Reach.own
    return Reach.here if who.chat == maker.chat else Reach.everything


def authorize(who: RequestedBy | None, action: Action, *, people: People, thing: Thing | None = None) -> Role:
    """Return what the person is if they may; raise not_allowed, with who may and what to do next, if not."""
    role = role_of(who, people)
    if who is None or holds_key(who):
        return role
    far_enough = needed(who, thing) <= RULES[action][_COLUMN[role]]
    if far_enough and (who.private or action not in PRIVATE_ONLY):
        return role
    raise AgentError(_refusal(who, role, action, people, thing), code=ErrorCode.not_allowed)


def abilities(who: RequestedBy | None, people: People) -> list[Action]:
    """Return what a person may do, at least with what is their own."""
    may = RULES if holds_key(who) else [act for act in Action if RULES[act][_COLUMN[role_of(who, people)]] > NOTHING]
    return list(may)


def _refusal(who: RequestedBy, role: Role, action: Action, people: People, thing: Thing | None) -> str:
    owner = named_owner(people)
    general, of_it = _WORDS[action]
    if action is Action.read_code:
        return "The pairing code is shown only where the agent runs, to whoever holds its key."
    if role is Role.denied:
        return f"You were denied the use of this machine. If that is a mistake, ask {owner}: /allow."
    if role is Role.stranger:
        return _to_stranger(who, people, general)
    _, member, admin, by_owner = RULES[action]
    if by_owner > NOTHING and admin is NOTHING and role is not Role.owner:
        return f"Only {owner} may {general}. Ask them to."
    if role is Role.member and member is NOTHING:
        return f"Only {owner} and admins may {general}. Ask one of them."
    if thing is None:  # an owner, and the answer is a secret
        return "Ask me that in a private chat: others would read the code here."
    maker = _named(thing.made_by)
    if member is HERE:
        return (
            f"{thing.name} {thing.how} in another chat, by {maker}. Only they, {owner}, admins and those in that chat "
            f"may {of_it}."
        )
    return f"{thing.name} {thing.how} by {maker}. Only they, {owner} and admins may {of_it}."


def _to_stranger(who: RequestedBy, people: People, general: str) -> str:
    if not people.owners:
        return (
            f"Nobody may {general} here yet: this machine has no owner. If it is yours, say /pair and the code that "
            "the agent showed when it started."
        )
    where = "you (in a private chat, people are allowed by name)" if who.private else "you, or this chat,"
    return f"You may not {general} here yet. Ask {named_owner(people)} to allow {where} with /allow."


def named_owner(people: People) -> str:
    """Return how a text calls the owner."""
    names = list(dict.fromkeys(grant.name for grant in people.owners if grant.name))
    return f"the owner of this machine ({' / '.join(names)})" if names else "the owner of this machine"


def _named(maker: RequestedBy | None) -> str:
    if maker is None or holds_key(maker):
        return "the owner at the machine itself"
    return maker.name or "somebody else"
