"""A live card as it is being kept: what was shown, whether it is behind, and when its chat may be edited next."""

import asyncio
import math
from dataclasses import dataclass, field

from bot.core.chat import Chat
from bot.core.clock import Clock
from bot.core.reply import Image
from bot.following.subscriptions import Subscription


@dataclass(kw_only=True)
class ChatPace:
    """When a chat may be edited next. One for all cards of a chat, as platforms count."""

    interval_s: float
    next_at: float = -math.inf  # by the clock that only goes forward

    async def turn(self, clock: Clock) -> None:
        """Wait for the next free moment and take it."""
        at = max(clock.monotonic(), self.next_at)
        self.next_at = at + self.interval_s
        if at > clock.monotonic():
            await clock.sleep(at - clock.monotonic())


@dataclass(kw_only=True)
class CardSchedule:
    """A card and whether it is behind."""

    subscription: Subscription
    chat: Chat
    pace: ChatPace
    look_in_s: float | None = None  # the agent is asked again after so long even if nothing happened; None: never
    last: str = ""  # the last text with the job's true state, for when contact is lost
    next_at: float = -math.inf  # when this card may be edited again, whatever its chat allows
    picture: Image | None = None  # the plot as it was fetched last
    picture_behind: bool = True  # there may be a newer one
    pages_told: int = 0  # messages of the result that have arrived
    failures: int = 0  # to show it, in a row
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _owed: int | None = None  # the first event of the feed that nobody has begun to show
    _showing: int | None = None  # the first that is being shown now

    def move(self, subscription: Subscription, chat: Chat, pace: ChatPace) -> None:
        """Have the card go on in another chat, where it is shown anew, and all of its result."""
        self.subscription, self.chat, self.pace = subscription, chat, pace
        self.picture, self.picture_behind, self.pages_told = None, True, 0
        self.not_shown()

    def mark(self, event: int | None = None) -> None:
        """Note that the card is behind, by an event of the feed or for another reason."""
        if self._owed is None:
            self._owed = event
        self._changed.set()

    async def turn(self, clock: Clock) -> None:
        """Wait until there is something to show, or to look after, and the chat may be edited."""
        looking = asyncio.create_task(self._look_again(clock))
        try:
            await self._changed.wait()
        finally:
            looking.cancel()
        if self.next_at > clock.monotonic():
            await clock.sleep(self.next_at - clock.monotonic())
        await self.pace.turn(clock)
        self.next_at = clock.monotonic() + self.chat.capabilities.card_interval_s
        self._changed.clear()
        self._showing, self._owed = self._owed, None

    def shown(self) -> None:
        """Note that the card was brought up to date."""
        self._showing = None

    def not_shown(self) -> None:
        """Note that it has to be tried again."""
        if self._showing is not None:
            self._owed = self._showing
        self._showing = None
        self._changed.set()

    @property
    def owes(self) -> int | None:
        """Return the first event of the feed that the card does not show yet."""
        return self._owed if self._showing is None else self._showing

    async def _look_again(self, clock: Clock) -> None:
        if self.look_in_s is not None:
            await clock.sleep(self.look_in_s)
            self._changed.set()
