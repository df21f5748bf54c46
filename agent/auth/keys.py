"""Keys to the agent: each has a name, and a scope that holds whoever the request is for. Pure."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from enum import StrEnum

from agent.auth.permissions import Thing
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.language import _
from shared.people import TERMINAL, Action, RequestedBy

CHATS = ("discord", "telegram")  # whose people a bot speaks for, unless its key says otherwise


class KeyKind(StrEnum):
    """What a key is made for."""

    owner = "owner"  # may do all: the terminal of the GPU machine, its owner's programs
    bot = "bot"  # speaks for the people of its platforms
    program = "program"  # speaks for one person


@dataclass(frozen=True, kw_only=True)
class Key:
    """One key, without its secret."""

    name: str
    kind: KeyKind
    platforms: tuple[str, ...] = ()  # of a bot, and of the person that a program speaks for
    person: str | None = None  # the platform's id of that person

    @property
    def is_owner(self) -> bool:
        """Say whether it may do all."""
        return self.kind is KeyKind.owner

    def speaks_for(self, who: RequestedBy | None) -> RequestedBy | None:
        """Return on whose behalf a request with this key is; None: of the holder of the key. Raises not_allowed."""
        if self.kind is KeyKind.owner:
            return who
        if self.kind is KeyKind.program:
            return self._as_program(who)
        if who is not None and who.platform not in self.platforms:
            raise self._not_for(who)
        return who

    def covers(self, platform: str) -> bool:
        """Say whether what concerns the people of a platform may be asked and changed with this key."""
        return self.is_owner or platform in self.platforms

    def _as_program(self, who: RequestedBy | None) -> RequestedBy:
        """Return its one person: in no chat of theirs, so that it reaches what is their own alone."""
        [platform], person = self.platforms, self.person or ""
        if who is not None and (who.platform, who.person) != (platform, person):
            raise self._not_for(who)
        language = {"language": who.language} if who is not None else {}
        name = who.name if who is not None else None
        return RequestedBy(
            platform=platform, person=person, chat=f"key:{self.name}", name=name, private=True, **language
        )

    def _not_for(self, who: RequestedBy) -> AgentError:
        whom = " / ".join(self.platforms) if self.person is None else f"{self.platforms[0]} {self.person}"
        if who.platform == TERMINAL:
            message = _(
                "The key “{key}” is for {whom}, so it cannot act for the owner at a terminal. Use a terminal of the "
                "GPU machine itself.",
                key=self.name,
                whom=whom,
            )
        else:
            message = _("The key “{key}” speaks for {whom} alone, not for {who}.", key=self.name, whom=whom, who=who)
        return AgentError(message, code=ErrorCode.not_allowed)


OWNER = Key(name="owner", kind=KeyKind.owner)  # in agent.key
BOT = Key(name="bot", kind=KeyKind.bot, platforms=CHATS)  # in bot.key, for the bots of this machine

# What a bot may ask without naming a person: what its live cards and deliveries need, of its people's jobs alone, and
# to say that one of its chats goes on under another id.
BOT_ITSELF = frozenset(
    {
        Action.see_self,
        Action.see_machine,
        Action.see_queue,
        Action.follow_all,
        Action.watch_job,
        Action.see_plan,
        Action.see_file,
        Action.link_file,
        Action.move_chat,
    }
)
SECRET = frozenset({Action.read_code, Action.make_code})  # asked with an owner's key, or not at all


def check_scope(key: Key, action: Action) -> None:
    """Raise not_allowed for what no person may ask with this key."""
    if action in SECRET and not key.is_owner:
        raise AgentError(
            _(
                "The pairing code is shown only where the agent runs: “hearth-agent pairing-code” on the GPU machine "
                "prints it."
            ),
            code=ErrorCode.not_allowed,
        )


def check_bot_itself(key: Key, action: Action, thing: Thing | None = None) -> None:
    """Raise not_allowed unless a bot may ask this in nobody's name, of this thing."""
    if action not in BOT_ITSELF:
        raise in_nobodys_name(key)
    if thing is not None and (thing.made_by is None or thing.made_by.platform not in key.platforms):
        raise AgentError(
            _(
                "{name} is not of {platforms}, so the key “{key}” does not reach it.",
                name=thing.name,
                platforms=" / ".join(key.platforms),
                key=key.name,
            ),
            code=ErrorCode.not_allowed,
        )


def in_nobodys_name(key: Key) -> AgentError:
    """Return the refusal of what a bot may ask for a person alone."""
    return AgentError(
        _(
            "The key “{key}” speaks for people of {platforms}: say in whose name this is asked.",
            key=key.name,
            platforms=" / ".join(key.platforms),
        ),
        code=ErrorCode.not_allowed,
    )


def new_secret() -> str:
    """Return a key as its holder keeps it."""
    return f"hearth-{secrets.token_urlsafe(32)}"


def digest(secret: str) -> str:
    """Return what is stored of a key: enough to know it again, nothing to use it with."""
    return hashlib.sha256(secret.encode(errors="surrogateescape")).hexdigest()


def same(given: str, expected: str) -> bool:
    """Compare without telling by the time it takes how much was right."""
    return hmac.compare_digest(given.encode(errors="surrogateescape"), expected.encode())
