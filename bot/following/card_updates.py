"""Shows one live card as its job stands now, and at the end the result. When that is done, `follow` decides."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from bot.agent_api.client import AgentClient
from bot.cards.call_to import call_to
from bot.cards.gone import unknown_card, withdrawn_card
from bot.cards.job import job_card, told_before, troubled_card, without_contact
from bot.cards.snapshot import Snapshot
from bot.core.clock import Clock
from bot.core.reply import Reply
from bot.errors import AgentRefusedError, AgentUnreachableError, JobUnknownError, MessageGoneError
from bot.following.delivery import deliver, owner
from bot.following.edit_schedule import CardSchedule
from bot.following.results import plot_image
from bot.following.snapshot import take_snapshot
from bot.following.subscriptions import Subscriptions
from bot.kept.database import noted
from bot.kept.preferences import Preferences
from shared.errors import ErrorCode
from shared.jobs import Job, JobStatus
from shared.people import RequestedBy

logger = logging.getLogger(__name__)

AsNow = Callable[[RequestedBy], Awaitable[RequestedBy]]  # with the roles that they have now; raises ChatError

LOST_RETRY_S = 5.0
ROLES_S = 600.0  # for so long the roles of a card's person are taken to be what they were
REFUSED_RETRY_S = 15.0
LOOK_S = 30.0  # a trainer that hangs sends no event, nor a start that is put off: their cards must not go on as before


async def unchanged(who: RequestedBy) -> RequestedBy:
    """Return a person as they were: of a platform that has no roles."""
    return who


class CardUpdater:
    """Asks the agent for a job and shows it. Raises ChatError, and whatever is wrong with one card."""

    def __init__(
        self,
        *,
        agent: AgentClient,
        subscriptions: Subscriptions,
        clock: Clock,
        preferences: Preferences,
        as_now: AsNow = unchanged,
    ) -> None:
        self._agent = agent
        self._as_now = as_now
        self._known: dict[tuple[str, str, str], tuple[float, RequestedBy]] = {}  # since when, by the card
        self._subscriptions = subscriptions
        self._clock = clock
        self._preferences = preferences
        self.endings: list[JobStatus] = []  # how the jobs ended whose end was told

    async def show(self, slot: CardSchedule) -> tuple[bool, float | None]:
        """Show a card; return whether its end was told, and after how long the agent is asked again in any case."""
        try:
            agent = await self._agent_for(slot)
            snapshot = await take_snapshot(agent, slot.subscription.job_id)
            if snapshot.finished and _may_have_lost_roles(slot):  # the result is for who may have it now
                agent = await self._agent_for(slot, afresh=True)
                snapshot = await take_snapshot(agent, slot.subscription.job_id)
            return await self._show(slot, snapshot, agent), None
        except AgentUnreachableError:
            await self._show_lost(slot)
            return False, LOST_RETRY_S
        except JobUnknownError:
            await self._forget(slot)
            return True, None
        except AgentRefusedError as error:
            logger.warning("job %s: %s", slot.subscription.job_id, error)
            if error.code is ErrorCode.not_allowed and slot.subscription.asker is not None:
                await self._withdraw(slot, error)
                return True, None
            return False, REFUSED_RETRY_S

    async def _agent_for(self, slot: CardSchedule, *, afresh: bool = False) -> AgentClient:
        """Return the agent, asked in the name of the card's person, with roles not older than ROLES_S."""
        card = slot.subscription
        if card.asker is None:
            return self._agent
        now = self._clock.monotonic()
        since, who = self._known.get(card.key, (-ROLES_S, card.asker))
        if card.asker.roles and (afresh or now - since >= ROLES_S):
            who = await self._as_now(card.asker)
            self._known[card.key] = now, who
        return self._agent.on_behalf_of(who)

    async def _withdraw(self, slot: CardSchedule, refusal: AgentRefusedError) -> None:
        """Show no more of a job to who may not see it any more."""
        await self._edit(slot, withdrawn_card(refusal.message))
        with noted():
            self._subscriptions.delivered(slot.subscription)

    async def say_trouble(self, slot: CardSchedule, *, mark: str, again_in_s: float) -> None:
        """Say on a card, if it can be, that it is the past and when it is tried again. Raises nothing."""
        now = self._clock.now()
        try:
            await self._edit(slot, troubled_card(slot.last, mark=mark, again_at=now + again_in_s, now=now))
        except Exception as error:
            logger.warning("could not say so on the card: %s", error)

    async def _show(self, slot: CardSchedule, snapshot: Snapshot, agent: AgentClient) -> bool:
        reply = job_card(snapshot, now=self._clock.now())
        slot.look_in_s = LOOK_S if _may_change_unsaid(snapshot) else None
        slot.last = reply.text
        await self._look_at_plot(slot, snapshot.job, agent)
        await self._edit(slot, reply)
        await self._call(slot, snapshot.job)
        if snapshot.finished:
            card = slot.subscription
            model = self._preferences.chat(card.platform, card.chat_id).files
            if not await deliver(slot, snapshot, agent=agent, subscriptions=self._subscriptions, model=model):
                await self._edit(slot, told_before(reply, snapshot.job))
            with noted():
                self._subscriptions.delivered(slot.subscription)
            self.endings.append(snapshot.job.status)
        return snapshot.finished

    async def _look_at_plot(self, slot: CardSchedule, job: Job, agent: AgentClient) -> None:
        """Fetch the plot for a card that shows one, once per evaluation."""
        evaluated = job.progress is not None and job.progress.validation_loss is not None
        if slot.picture_behind and evaluated and slot.chat.capabilities.card_images:
            slot.picture_behind = False
            slot.picture = await plot_image(agent, job, slot.chat.capabilities) or slot.picture

    async def _call(self, slot: CardSchedule, job: Job) -> None:
        """Call the person to a job that stands still until somebody does something; once, each time it does."""
        call = call_to(job)
        if (call is not None) == slot.subscription.called:
            return
        if call is not None:
            await slot.chat.post(replace(call, mention=owner(job, slot.subscription)))
        slot.subscription = replace(slot.subscription, called=call is not None)
        with noted():
            self._subscriptions.put(slot.subscription)

    async def _show_lost(self, slot: CardSchedule) -> None:
        since = self._agent.lost_since
        if since is not None and slot.last:
            await self._edit(slot, without_contact(slot.last, since=since, now=self._clock.now()))

    async def _forget(self, slot: CardSchedule) -> None:
        await self._edit(slot, unknown_card(slot.last))
        with noted():
            self._subscriptions.delivered(slot.subscription)

    async def _edit(self, slot: CardSchedule, reply: Reply) -> None:
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
            if slot.subscription is not subscription:  # it goes on elsewhere by now
                await self._edit(slot, reply)
                return
            message_id = await slot.chat.post(replace(reply, image=picture and replace(picture, shown=False)))
        if picture is slot.picture:
            slot.picture = picture and replace(picture, shown=True)
        if slot.subscription is subscription:  # else the card has moved further down meanwhile
            slot.subscription = replace(subscription, message_id=message_id, shown=reply.text)
            with noted():
                self._subscriptions.put(slot.subscription)


def _may_have_lost_roles(slot: CardSchedule) -> bool:
    asker = slot.subscription.asker
    return asker is not None and bool(asker.roles)


def _may_change_unsaid(snapshot: Snapshot) -> bool:
    """Say whether a card can become untrue without an event of the feed."""
    running = snapshot.job.status is JobStatus.running
    return running or snapshot.starts_at is not None or snapshot.machine_paused
