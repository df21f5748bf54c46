"""Which person may do what to which job, file or plan. Pure. Comes after `agent.auth.keys`, which checks the key.

A stranger may pair and ask what they may do, and no more. How far everybody else reaches depends on their role:

- `nothing`: refused.
- `own`: what they asked for themselves.
- `here`: that, and what was asked for in the chat they ask from.
- `everything`: anybody's, wherever it was asked for.

A request for no person, or from the bot's terminal, has no limit here: the scope of its key alone limits it.
"""

from dataclasses import dataclass
from enum import IntEnum

from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.language import N_, _
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
    Action.link_file:     (NOTHING,    HERE,       EVERYTHING, EVERYTHING),
    Action.try_model:     (NOTHING,    HERE,       EVERYTHING, EVERYTHING),
    Action.watch_job:     (NOTHING,    HERE,       EVERYTHING, EVERYTHING),
    Action.cancel_job:    (NOTHING,    OWN,        EVERYTHING, EVERYTHING),
    Action.pause_job:     (NOTHING,    OWN,        EVERYTHING, EVERYTHING),
    Action.resume_job:    (NOTHING,    OWN,        EVERYTHING, EVERYTHING),
    Action.pause_machine: (NOTHING,    NOTHING,    EVERYTHING, EVERYTHING),
    Action.follow_all:    (NOTHING,    NOTHING,    EVERYTHING, EVERYTHING),
    Action.see_people:    (NOTHING,    NOTHING,    EVERYTHING, EVERYTHING),
    Action.change_people: (NOTHING,    NOTHING,    NOTHING,    EVERYTHING),
    Action.approve_model: (NOTHING,    NOTHING,    EVERYTHING, EVERYTHING),
    Action.move_chat:     (NOTHING,    NOTHING,    NOTHING,    NOTHING),  # said by bots themselves
    Action.make_code:     (NOTHING,    NOTHING,    NOTHING,    EVERYTHING),
    Action.read_code:     (NOTHING,    NOTHING,    NOTHING,    NOTHING),
}  # fmt: skip
_COLUMN = {Role.stranger: 0, Role.denied: 0, Role.member: 1, Role.admin: 2, Role.owner: 3}

PRIVATE_ONLY = frozenset({Action.make_code})  # its answer is a secret: refused where others may read the chat

_WORDS: dict[Action, tuple[str, str]] = {  # in general, and of one thing
    Action.pair: (N_("pair"), N_("pair with it")),
    Action.see_self: (N_("ask what they may do"), N_("ask about it")),
    Action.see_machine: (N_("use this machine"), N_("use it")),
    Action.see_queue: (N_("see its jobs"), N_("see it")),
    Action.start_job: (N_("start jobs"), N_("train on it")),
    Action.use_plan: (N_("start jobs"), N_("start it")),
    Action.see_plan: (N_("see plans"), N_("see it")),
    Action.see_file: (N_("see files"), N_("see it")),
    Action.delete_file: (N_("delete files"), N_("delete it")),
    Action.link_file: (N_("make links to results"), N_("make a link to it")),
    Action.try_model: (N_("try models"), N_("try its model")),
    Action.watch_job: (N_("watch jobs"), N_("see more of it than its state")),
    Action.cancel_job: (N_("cancel jobs"), N_("cancel it")),
    Action.pause_job: (N_("pause jobs"), N_("pause it")),
    Action.resume_job: (N_("resume jobs"), N_("resume it")),
    Action.pause_machine: (N_("pause and resume the whole machine"), N_("pause it")),
    Action.follow_all: (N_("follow everything that happens"), N_("follow it")),
    Action.see_people: (N_("see who is allowed"), N_("see it")),
    Action.change_people: (N_("allow and deny people"), N_("change it")),
    Action.approve_model: (N_("say yes to new models"), N_("say yes to it")),
    Action.move_chat: (N_("move chats"), N_("move it")),
    Action.make_code: (N_("ask for a pairing code"), N_("ask for it")),
    Action.read_code: (N_("read the pairing code"), N_("read it")),
}


@dataclass(frozen=True, kw_only=True)
class Thing:
    """A job, file or plan that somebody wants something of."""

    name: str  # as a person reads it: "Job #12"
    made_by: RequestedBy | None  # None: the holder of the key
    how: str = N_("was started")


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
    general, of_it = map(_, _WORDS[action])
    if action is Action.read_code:
        return _("The pairing code is shown only where the agent runs, to whoever holds its key.")
    if role is Role.denied:
        return _("You were denied the use of this machine. If that is a mistake, ask {owner}: /allow.", owner=owner)
    if role is Role.stranger:
        return _to_stranger(who, people, general)
    if action is Action.move_chat:
        return _("That a chat goes on under another id is said by its platform to the bot, and by no person.")
    _stranger, member, admin, by_owner = RULES[action]
    if by_owner > NOTHING and admin is NOTHING and role is not Role.owner:
        return _("Only {owner} may {general}. Ask them to.", owner=owner, general=general)
    if role is Role.member and member is NOTHING:
        return _("Only {owner} and admins may {general}. Ask one of them.", owner=owner, general=general)
    if thing is None:  # an owner, and the answer is a secret
        return _("Ask me that in a private chat: others would read the code here.")
    maker = _named(thing.made_by)
    if member is HERE:
        return _(
            "{name} {how} in another chat, by {maker}. Only they, {owner}, admins and those in that chat may {of_it}.",
            name=thing.name,
            how=_(thing.how),
            maker=maker,
            owner=owner,
            of_it=of_it,
        )
    return _(
        "{name} {how} by {maker}. Only they, {owner} and admins may {of_it}.",
        name=thing.name,
        how=_(thing.how),
        maker=maker,
        owner=owner,
        of_it=of_it,
    )


def _to_stranger(who: RequestedBy, people: People, general: str) -> str:
    if not people.owners:
        return _(
            "Nobody may {general} here yet: this machine has no owner. If it is yours, say /pair and "
            "the code that the agent showed when it started.",
            general=general,
        )
    where = _("you (in a private chat, people are allowed by name)") if who.private else _("you, or this chat,")
    return _(
        "You may not {general} here yet. Ask {owner} to allow {where} with /allow.",
        general=general,
        owner=named_owner(people),
        where=where,
    )


def named_owner(people: People) -> str:
    """Return how a text calls the owner."""
    names = list(dict.fromkeys(grant.name for grant in people.owners if grant.name))
    return (
        _("the owner of this machine ({names})", names=" / ".join(names)) if names else _("the owner of this machine")
    )


def _named(maker: RequestedBy | None) -> str:
    if maker is None or holds_key(maker):
        return _("the owner at the machine itself")
    return maker.name or _("somebody else")
