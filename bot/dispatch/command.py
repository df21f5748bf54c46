"""What a command is, and what it may use. No platform, no globals."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from bot.agent_api.client import AgentClient
from bot.core.call import Call
from bot.core.chat import Answer
from bot.core.clock import Clock
from bot.dispatch.rate_limit import RateLimit
from bot.following.feed import FeedFollower
from bot.following.subscriptions import Subscriptions
from bot.kept.ignored import Ignored
from bot.kept.offers import Offers
from bot.kept.preferences import Preferences
from bot.kept.requests import Requests
from bot.kept.talks import Talks
from shared.people import RequestedBy


@dataclass(frozen=True, kw_only=True)
class Core:
    """The bot without its front-ends."""

    agent: AgentClient  # in what a command is handed: asks on behalf of whoever called
    subscriptions: Subscriptions
    requests: Requests
    offers: Offers
    talks: Talks
    preferences: Preferences
    ignored: Ignored
    follow: FeedFollower
    clock: Clock
    commands: tuple["Command", ...]
    bursts: RateLimit = field(default_factory=RateLimit)
    stops: RateLimit = field(default_factory=RateLimit)  # of what frees the machine: nothing else uses it up

    def on_behalf_of(self, person: RequestedBy) -> "Core":
        """Return the core as a person's command may use it: the agent is asked on their behalf, whatever it is."""
        return replace(self, agent=self.agent.on_behalf_of(person))


def never(_arguments: tuple[str, ...]) -> bool:
    """Keep no call: it changes nothing, and is asked again as easily."""
    return False


def always(_arguments: tuple[str, ...]) -> bool:
    """Keep every call: whatever its arguments, it changes something."""
    return True


Run = Callable[[Call, Core, Answer], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Command:
    """One row of the table that every front-end registers from."""

    name: str
    usage: str  # what follows the name, for help: "[#n]"
    summary: str  # half a line
    run: Run
    topic: str = ""  # the page of the help that it stands on; empty: the first
    takes_file: bool = False
    keeps: Callable[[tuple[str, ...]], bool] = never  # by its arguments: it changes something, so it must not get lost
    stops: bool = False  # it frees the machine, so it is sent even if it cannot be kept
