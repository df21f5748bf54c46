"""The agent's feed becomes edits of live cards.

Each card has one task. An event only marks the card as changed; when the chat's edit rate allows, the task has it shown
as its job stands then. So there is no queue of stale edits, and what is shown is never older than the edit. At the end
it is shown once more, the result is posted as a new message, and the task is done. What one card meets stops no other.
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from dataclasses import replace

from bot.agent_api.client import AgentClient
from bot.cards.job import moved_here
from bot.core.chat import Chat, OpenChat
from bot.core.clock import Clock, backoff_s, held_back_s
from bot.errors import AgentRefusedError, AgentUnreachableError, ChatBusyError, ChatClosedError, ChatError
from bot.following.card_updates import AsNow, CardUpdater, unchanged
from bot.following.edit_schedule import CardSchedule, ChatPace
from bot.following.subscriptions import Subscription, Subscriptions
from bot.kept.chat_moves import Move, Moves
from bot.kept.database import noted
from bot.kept.preferences import Preferences
from shared.events import EvaluationData, Event, QueueData, StateData
from shared.jobs import JobStatus

logger = logging.getLogger(__name__)

GIVE_UP_AFTER = 150  # tries in a closed chat, where there is no other: about a day


class FeedFollower:
    """Keeps every live card true until its job has ended and that was told."""

    def __init__(
        self,
        *,
        agent: AgentClient,
        subscriptions: Subscriptions,
        open_chat: OpenChat,
        clock: Clock,
        moves: Moves,
        preferences: Preferences,
        as_now: AsNow = unchanged,
    ) -> None:
        self.moves = moves
        self._agent = agent
        self._subscriptions = subscriptions
        self._open_chat = preferences.opening(open_chat)
        self._clock = clock
        self._preferences = preferences
        self._shower = CardUpdater(
            agent=agent, subscriptions=subscriptions, clock=clock, preferences=preferences, as_now=as_now
        )
        self._slots: dict[tuple[str, str, str], CardSchedule] = {}
        self._paces: dict[tuple[str, str], ChatPace] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._ended = asyncio.Event()
        self.cursor = subscriptions.cursor

    @property
    def endings(self) -> list[JobStatus]:
        """How the jobs ended whose end was told."""
        return self._shower.endings

    async def run(self) -> None:
        """Follow for ever."""
        cards = self._subscriptions.undelivered()
        self._slots.clear()
        async with asyncio.TaskGroup() as self._tasks:
            for subscription in cards:
                self._keep_card(subscription)
            try:
                await self._listen()
            finally:
                self._tasks = None  # a card that begins while the bot stops is kept by the next bot

    def watch(self, subscription: Subscription) -> None:
        """Keep this card true from now on, in place of an older one for the same job in the same chat."""
        subscription = replace(subscription, chat_id=self.moves.now(subscription.platform, subscription.chat_id))
        slot = self._slots.get(subscription.key)
        with noted():
            before = slot.subscription if slot is not None else self._subscriptions.find(*subscription.key)
            subscription = replace(subscription, called=before is not None and before.called)
            self._subscriptions.put(subscription)
        if slot is not None:
            slot.subscription = subscription
            slot.mark()
        elif self._tasks is not None:
            self._keep_card(subscription)

    def chat_moved(self, move: Move) -> None:
        """Go on where a chat is now, with all that is kept of it, and there with new messages."""
        if not self.moves.note(move):
            return
        logger.info("%s chat %s is now %s", move.platform, move.chat_id, move.to_id)
        for slot in [slot for key, slot in self._slots.items() if key[:2] == (move.platform, move.chat_id)]:
            before = slot.subscription
            after = replace(before, chat_id=move.to_id, message_id="", shown="")
            chat = self._open_chat(after.platform, after.chat_id)
            del self._slots[before.key]
            if after.key not in self._slots and chat is not None:
                self._slots[after.key] = slot
                slot.move(after, chat, self._pace(after, chat))
            slot.mark()  # who was taken off the list notices, too

    def shows(self, platform: str, chat_id: str, message_id: str | None) -> bool:
        """Say whether a message is a live card."""
        cards = (slot.subscription for slot in self._slots.values())
        return any((card.platform, card.chat_id, card.message_id) == (platform, chat_id, message_id) for card in cards)

    def look_again(self, platform: str, person: str) -> None:
        """Have a person's cards shown as they read now: in another language, or with the times of another zone."""
        for slot in self._slots.values():
            if (slot.subscription.platform, slot.subscription.person) == (platform, person):
                slot.mark()

    async def all_told(self) -> None:
        """Wait until no card is being kept: every job has ended and its result was delivered."""
        while self._slots:
            self._ended.clear()
            await self._ended.wait()

    def _keep_card(self, subscription: Subscription) -> None:
        chat = self._open_chat(subscription.platform, subscription.chat_id)
        if chat is None or self._tasks is None:
            return
        slot = CardSchedule(
            subscription=subscription, chat=chat, pace=self._pace(subscription, chat), last=subscription.shown
        )
        slot.mark()
        self._slots[subscription.key] = slot
        self._tasks.create_task(self._keep(slot))

    def _pace(self, subscription: Subscription, chat: Chat) -> ChatPace:
        return self._paces.setdefault(subscription.key[:2], ChatPace(interval_s=1 / chat.capabilities.edits_per_second))

    # --- the feed

    async def _listen(self) -> None:
        failures = 0
        while True:
            try:
                async with self._agent.feed(after=await self._start_cursor()) as events:
                    failures = 0
                    self._mark(None)
                    await self._take_in(events)
            except (AgentUnreachableError, AgentRefusedError) as error:
                logger.info("feed: %s", error)
                if failures:
                    self._mark(None)  # the first failure may be a moment's; the second is said
            except Exception:
                logger.exception("the agent's feed broke off; I open it again")
            failures += 1
            await self._clock.sleep(backoff_s(failures))

    async def _start_cursor(self) -> int:
        """Return where to go on; an agent whose feed is shorter than what we saw has begun anew."""
        newest = (await self._agent.info()).feed_cursor
        self.cursor = newest if self.cursor is None else min(self.cursor, newest)
        return self.cursor

    async def _take_in(self, events: AsyncIterator[Event]) -> None:
        async for event in events:
            self.cursor = event.cursor
            moves_others = isinstance(event.data, QueueData | StateData)
            self._mark(None if moves_others else event.job_id, event.cursor)
            if isinstance(event.data, EvaluationData | StateData):
                for slot in self._slots_of(event.job_id):
                    slot.picture_behind = True

    def _mark(self, job_id: str | None, event: int | None = None) -> None:
        """Note that the cards of a job, or all, are behind."""
        for slot in self._slots_of(job_id):
            slot.mark(event)

    def _slots_of(self, job_id: str | None) -> list[CardSchedule]:
        return [slot for slot in self._slots.values() if job_id is None or slot.subscription.job_id == job_id]

    # --- the cards

    async def _keep(self, slot: CardSchedule) -> None:
        told = False
        while not told and self._is_kept(slot):
            try:
                await slot.turn(self._clock)
                with self._addressing(slot.subscription):
                    told = await self._refresh(slot)
                slot.shown()
                self._save_cursor()
            except Exception:
                mark = secrets.token_hex(4)
                logger.exception("%s: the card of job %s failed", mark, slot.subscription.job_id)
                with self._addressing(slot.subscription):
                    await self._shower.say_trouble(slot, mark=mark, again_in_s=self._hold_back(slot))
        if self._is_kept(slot):
            del self._slots[slot.subscription.key]
        self._ended.set()

    def _addressing(self, card: Subscription) -> AbstractContextManager[None]:
        return self._preferences.addressing(card.platform, card.person, card.language)

    def _is_kept(self, slot: CardSchedule) -> bool:
        """Say whether a card is still one to keep: another may show the same job where its chat has moved."""
        return self._slots.get(slot.subscription.key) is slot

    async def _refresh(self, slot: CardSchedule) -> bool:
        """Bring a card up to date; return whether there is no more to tell. What fails is tried again, ever later."""
        try:
            told, again_in_s = await self._shower.show(slot)
        except ChatBusyError as busy:
            slot.pace.next_at = max(slot.pace.next_at, self._clock.monotonic() + busy.retry_after_s)
            slot.not_shown()
            return False
        except ChatClosedError as closed:
            return await self._move(slot, closed)
        except ChatError as error:
            logger.warning("chat %s: %s", slot.subscription.chat_id, error)
            self._hold_back(slot)
            return False
        slot.failures = 0
        if again_in_s is not None:
            self._again_in(slot, again_in_s)
        return told

    async def _move(self, slot: CardSchedule, closed: ChatClosedError) -> bool:
        """Go on in the next best chat, or try again where it was; return whether the card is given up."""
        before = slot.subscription
        found = await self._next_best(slot)
        if slot.subscription is not before:  # its chat has moved meanwhile
            slot.not_shown()
            return False
        if found is None and slot.failures < GIVE_UP_AFTER:
            logger.warning("chat %s: %s, and there is no other for now", before.chat_id, closed)
            self._hold_back(slot)
            return False
        if found is None or (before.platform, found[0], before.job_id) in self._slots:
            logger.warning("chat %s: %s. I give up the card of job %s there.", before.chat_id, closed, before.job_id)
            with noted():
                self._subscriptions.delivered(before)
            return True
        chat_id, chat = found
        logger.warning("chat %s: %s. The card of job %s goes on in %s.", before.chat_id, closed, before.job_id, chat_id)
        after = replace(before, chat_id=chat_id, message_id="", shown="")
        with noted():
            self._subscriptions.move(before, after)
        self._slots[after.key] = self._slots.pop(before.key)
        slot.move(after, chat, self._pace(after, chat))
        return False

    async def _next_best(self, slot: CardSchedule) -> tuple[str, Chat] | None:
        """Return the nearest chat that took the word that the card goes on there; None: none does now."""
        chat, person, platform = slot.chat, slot.subscription.person, slot.subscription.platform
        try:
            while (chat_id := await chat.next_best(person)) is not None:
                other = self._open_chat(platform, chat_id)
                if other is None:
                    return None
                chat = other
                if (platform, chat_id, slot.subscription.job_id) in self._slots:
                    return chat_id, chat
                with contextlib.suppress(ChatClosedError):
                    await chat.post(moved_here(mention=person))
                    return chat_id, chat
        except ChatError as error:
            logger.warning("chat %s: %s", slot.subscription.chat_id, error)
        return None

    def _hold_back(self, slot: CardSchedule) -> float:
        slot.failures += 1
        pause_s = held_back_s(slot.failures)
        self._again_in(slot, pause_s)
        return pause_s

    def _again_in(self, slot: CardSchedule, seconds: float) -> None:
        slot.next_at = max(slot.next_at, self._clock.monotonic() + seconds)
        slot.not_shown()

    def _save_cursor(self) -> None:
        """Write down how far the feed was read: never further than what every card shows."""
        if self.cursor is None:
            return
        owed = [slot.owes for slot in self._slots.values() if slot.owes is not None]
        settled = min([self.cursor + 1, *owed]) - 1
        with noted():
            if settled != self._subscriptions.cursor:
                self._subscriptions.cursor = settled
