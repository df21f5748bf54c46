"""What a command is, and what it may use. No platform, no globals."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.agent_client import AgentClient
from bot.call import Call
from bot.chat import Answer
from bot.clock import Clock
from bot.follow import Follow
from bot.requests import Requests
from bot.subscriptions import Subscriptions


@dataclass(frozen=True, kw_only=True)
class Core:
    """The bot without its front-ends."""

    agent: AgentClient
    subscriptions: Subscriptions
    requests: Requests
    follow: Follow
    clock: Clock
    commands: tuple["Command", ...]


def never(_arguments: tuple[str, ...]) -> bool:
    """Keep no call: it changes nothing, and is asked again as easily."""
    return False


Run = Callable[[Call, Core, Answer], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Command:
    """One row of the table that every front-end registers from."""

    name: str
    usage: str  # what follows the name, for help: "[#n]"
    summary: str  # half a line
    run: Run
    takes_file: bool = False
    keeps: Callable[[tuple[str, ...]], bool] = never  # by its arguments: it changes something, so it must not get lost
    stops: bool = False  # it frees the machine, so it is sent even if it cannot be kept
