"""The agent's feed becomes edits of live cards.

Each card has one keeper. An event only marks the card as changed; when the chat's edit rate allows, the keeper asks the
agent how the job stands and shows that. So there is no queue of stale edits, and what is shown is never older than the
edit. At the end it edits once more, posts the result as a new message, and is done.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace

from bot.agent_client import AgentClient
from bot.cards.call_to import call_to
from bot.cards.job import job_card, told_before, unknown_card, without_contact
from bot.chat import OpenChat
from bot.clock import Clock, backoff_s
from bot.database import noted
from bot.delivery import deliver, owner
from bot.errors import (
    AgentRefusedError,
    AgentUnreachableError,
    ChatBusyError,
    ChatError,
    JobUnknownError,
    MessageGoneError,
)
from bot.reply import Reply
from bot.results import plot_image
from bot.slot import Pace, Slot
from bot.snapshot import Snapshot, take_snapshot
from bot.subscriptions import Subscription, Subscriptions
from shared.events import EvaluationData, Event, QueueData, StateData
from shared.jobs import Job, JobStatus
from shared.language import speaking

logger = logging.getLogger(__name__)

CHAT_RETRY_S = (15.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0)  # after so many refusals in a row; then 10 min for ever
LOST_RETRY_S = 5.0
REFUSED_RETRY_S = 15.0
LOOK_S = 30.0  # a trainer that hangs sends no event, and its card must not say "Training" for ever


class Follow:
    """Keeps every live card true until its job has ended and that was told."""

    def __init__(self, *, agent: AgentClient, subscriptions: Subscriptions, open_chat: OpenChat, clock: Clock) -> None:
        self._agent = agent
        self._subscriptions = subscriptions
        self._open_chat = open_chat
        self._clock = clock
        self._slots: dict[tuple[str, str, str], Slot] = {}
        self._paces: dict[tuple[str, str], Pace] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._ended = asyncio.Event()
        self.cursor = subscriptions.cursor
        self.endings: list[JobStatus] = []  # how the jobs ended whose end was told

    async def run(self) -> None:
        """Follow for ever."""
        cards = self._subscriptions.undelivered()
        async with asyncio.TaskGroup() as self._tasks:
            for subscription in cards:
                self._keep_card(subscription)
            try:
                await self._listen()
            finally:
                self._tasks = None  # a card that begins while the bot stops is kept by the next bot

    def watch(self, subscription: Subscription) -> None:
        """Keep this card true from now on, in place of an older one for the same job in the same chat."""
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

    def shows(self, platform: str, chat_id: str, message_id: str | None) -> bool:
        """Say whether a message is a live card."""
        cards = (slot.subscription for slot in self._slots.values())
        return any((card.platform, card.chat_id, card.message_id) == (platform, chat_id, message_id) for card in cards)

    async def all_told(self) -> None:
        """Wait until no card is being kept: every job has ended and its result was delivered."""
        while self._slots:
            self._ended.clear()
            await self._ended.wait()

    def _keep_card(self, subscription: Subscription) -> None:
        chat = self._open_chat(subscription.platform, subscription.chat_id)
        if chat is None or self._tasks is None:
            return
        interval_s = 1 / chat.capabilities.edits_per_second
        pace = self._paces.setdefault(subscription.key[:2], Pace(interval_s=interval_s))
        slot = Slot(subscription=subscription, chat=chat, pace=pace, last=subscription.shown)
        slot.mark()
        self._slots[subscription.key] = slot
        self._tasks.create_task(self._keep(slot))

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

    def _slots_of(self, job_id: str | None) -> list[Slot]:
        return [slot for slot in self._slots.values() if job_id is None or slot.subscription.job_id == job_id]

    # --- the cards

    async def _keep(self, slot: Slot) -> None:
        told = False
        while not told:
            await slot.turn(self._clock)
            with speaking(slot.subscription.language):
                told = await self._refresh(slot)
            slot.shown()
            self._save_cursor()
        del self._slots[slot.subscription.key]
        self._ended.set()

    async def _refresh(self, slot: Slot) -> bool:
        """Bring a card up to date; return whether the job's end has been told. A failing chat is asked again."""
        try:
            told = await self._ask_and_show(slot)
        except ChatBusyError as busy:
            self._again_in(slot, busy.retry_after_s)
            return False
        except ChatError as error:
            logger.warning("chat %s: %s", slot.subscription.chat_id, error)
            self._again_in(slot, CHAT_RETRY_S[min(slot.refusals, len(CHAT_RETRY_S) - 1)])
            slot.refusals += 1
            return False
        slot.refusals = 0
        return told

    async def _ask_and_show(self, slot: Slot) -> bool:
        try:
            return await self._show(slot, await take_snapshot(self._agent, slot.subscription.job_id))
        except AgentUnreachableError:
            await self._show_lost(slot)
            self._again_in(slot, LOST_RETRY_S)
        except JobUnknownError:
            await self._forget(slot)
            return True
        except AgentRefusedError as error:
            logger.warning("job %s: %s", slot.subscription.job_id, error)
            self._again_in(slot, REFUSED_RETRY_S)
        return False

    async def _show(self, slot: Slot, snapshot: Snapshot) -> bool:
        reply = job_card(snapshot, now=self._clock.now())
        slot.look_in_s = LOOK_S if snapshot.job.status is JobStatus.running else None
        slot.last = reply.text
        await self._look_at_plot(slot, snapshot.job)
        await self._edit(slot, reply)
        await self._call(slot, snapshot.job)
        if snapshot.finished:
            if not await deliver(slot, snapshot, agent=self._agent, subscriptions=self._subscriptions):
                await self._edit(slot, told_before(reply, snapshot.job))
            with noted():
                self._subscriptions.delivered(slot.subscription)
            self.endings.append(snapshot.job.status)
        return snapshot.finished

    async def _look_at_plot(self, slot: Slot, job: Job) -> None:
        """Fetch the plot for a card that shows one, once per evaluation."""
        evaluated = job.progress is not None and job.progress.validation_loss is not None
        if slot.picture_behind and evaluated and slot.chat.capabilities.card_images:
            slot.picture_behind = False
            slot.picture = await plot_image(self._agent, job) or slot.picture

    async def _call(self, slot: Slot, job: Job) -> None:
        """Call the person to a job that stands still until somebody does something; once, each time it does."""
        call = call_to(job)
        if (call is not None) == slot.subscription.called:
            return
        if call is not None:
            await slot.chat.post(replace(call, mention=owner(job, slot.subscription)))
        slot.subscription = replace(slot.subscription, called=call is not None)
        with noted():
            self._subscriptions.put(slot.subscription)

    async def _show_lost(self, slot: Slot) -> None:
        since = self._agent.lost_since
        if since is not None and slot.last:
            await self._edit(slot, without_contact(slot.last, since=since, now=self._clock.now()))

    async def _forget(self, slot: Slot) -> None:
        await self._edit(slot, unknown_card(slot.last))
        with noted():
            self._subscriptions.delivered(slot.subscription)

    async def _edit(self, slot: Slot, reply: Reply) -> None:
        """Show it if it reads differently or has a newer picture; a message that is gone is posted anew."""
        subscription, picture = slot.subscription, slot.picture
        if reply.text == subscription.shown and (picture is None or picture.shown):
            return
        message_id = subscription.message_id
        try:
            await slot.chat.edit(message_id, replace(reply, image=picture))
        except MessageGoneError:
            message_id = await slot.chat.post(replace(reply, image=picture and replace(picture, shown=False)))
        if picture is slot.picture:
            slot.picture = picture and replace(picture, shown=True)
        if slot.subscription is subscription:  # else the card has moved further down meanwhile
            slot.subscription = replace(subscription, message_id=message_id, shown=reply.text)
            with noted():
                self._subscriptions.put(slot.subscription)

    def _again_in(self, slot: Slot, seconds: float) -> None:
        slot.pace.next_at = max(slot.pace.next_at, self._clock.now() + seconds)
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
