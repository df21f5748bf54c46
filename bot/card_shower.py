"""Shows one live card as its job stands now, and at the end the result. When that is done, `follow` decides."""

import logging
from dataclasses import replace

from bot.agent_client import AgentClient
from bot.cards.call_to import call_to
from bot.cards.job import job_card, told_before, troubled_card, unknown_card, without_contact
from bot.clock import Clock
from bot.database import noted
from bot.delivery import deliver, owner
from bot.errors import AgentRefusedError, AgentUnreachableError, JobUnknownError, MessageGoneError
from bot.reply import Reply
from bot.results import plot_image
from bot.slot import Slot
from bot.snapshot import Snapshot, take_snapshot
from bot.subscriptions import Subscriptions
from shared.jobs import Job, JobStatus

logger = logging.getLogger(__name__)

LOST_RETRY_S = 5.0
REFUSED_RETRY_S = 15.0
LOOK_S = 30.0  # a trainer that hangs sends no event, nor a start that is put off: their cards must not go on as before


class CardShower:
    """Asks the agent for a job and shows it. Raises ChatError, and whatever is wrong with one card."""

    def __init__(self, *, agent: AgentClient, subscriptions: Subscriptions, clock: Clock) -> None:
        self._agent = agent
        self._subscriptions = subscriptions
        self._clock = clock
        self.endings: list[JobStatus] = []  # how the jobs ended whose end was told

    async def show(self, slot: Slot) -> tuple[bool, float | None]:
        """Show a card; return whether its end was told, and after how long the agent is asked again in any case."""
        try:
            return await self._show(slot, await take_snapshot(self._agent, slot.subscription.job_id)), None
        except AgentUnreachableError:
            await self._show_lost(slot)
            return False, LOST_RETRY_S
        except JobUnknownError:
            await self._forget(slot)
            return True, None
        except AgentRefusedError as error:
            logger.warning("job %s: %s", slot.subscription.job_id, error)
            return False, REFUSED_RETRY_S

    async def say_trouble(self, slot: Slot, *, mark: str, again_in_s: float) -> None:
        """Say on a card, if it can be, that it is the past and when it is tried again. Raises nothing."""
        now = self._clock.now()
        try:
            await self._edit(slot, troubled_card(slot.last, mark=mark, again_at=now + again_in_s, now=now))
        except Exception as error:
            logger.warning("could not say so on the card: %s", error)

    async def _show(self, slot: Slot, snapshot: Snapshot) -> bool:
        reply = job_card(snapshot, now=self._clock.now())
        slot.look_in_s = LOOK_S if _may_change_unsaid(snapshot) else None
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
            if not message_id:  # it goes on in another chat
                raise MessageGoneError(message_id)
            await slot.chat.edit(message_id, replace(reply, image=picture))
        except MessageGoneError:
            message_id = await slot.chat.post(replace(reply, image=picture and replace(picture, shown=False)))
        if picture is slot.picture:
            slot.picture = picture and replace(picture, shown=True)
        if slot.subscription is subscription:  # else the card has moved further down meanwhile
            slot.subscription = replace(subscription, message_id=message_id, shown=reply.text)
            with noted():
                self._subscriptions.put(slot.subscription)


def _may_change_unsaid(snapshot: Snapshot) -> bool:
    """Say whether a card can become untrue without an event of the feed."""
    running = snapshot.job.status is JobStatus.running
    return running or snapshot.starts_at is not None or snapshot.machine_paused
