"""Makes plans, and where one is refused others that would do; asks the machine and the store, decides nothing."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from agent.base_models.card import BaseModelCard
from agent.data.findings import Findings, ValidationRows
from agent.errors import AgentError
from agent.machine.gpu import Machine
from agent.plan.alternatives import (
    IN_ALL,
    TOO_LITTLE,
    Offer,
    changed,
    offer_of_another,
    offers_of_longer_rows,
    offers_of_this_model,
)
from agent.plan.cut_rows import planned_length, useful_lengths
from agent.plan.defaults import asked
from agent.plan.duration import MeasuredRun
from agent.plan.presets import RULES
from agent.running.held_memory import AsksWhatIsHeld, once_free
from agent.store import Store, measured_runs, plans, queued_jobs
from agent.store.files import StoredFile
from agent.store.ids import new_id
from agent.store.inspections import Understood
from agent.store.plans import StoredPlan
from shared.errors import ErrorCode
from shared.files import FileObject
from shared.plans import Alternative, Plan, PlanRequest

log = logging.getLogger(__name__)


class MakesPlans(Protocol):
    """Resolves a request into a plan; `agent.plan.resolve.make_plan`."""

    def __call__(
        self,
        request: PlanRequest,
        *,
        plan_id: str,
        file: FileObject,
        findings: Findings,
        card: BaseModelCard,
        machine: Machine,
        queue_position: int,
        queue_wait_minutes: float,
        now: int,
        measured: list[MeasuredRun],
        validation: ValidationRows | None = None,
    ) -> Plan:
        """Raise AgentError when it cannot fit."""


@dataclass(frozen=True, kw_only=True)
class _Surroundings:
    """What a plan depends on beside its request, file and model."""

    machine: Machine
    position: int
    wait_minutes: float
    measured: list[MeasuredRun]


Understands = Callable[[StoredFile, PlanRequest, Store], Awaitable[Understood]]  # raises AgentError


class Planner:
    """Plans for files that are there."""

    def __init__(
        self,
        *,
        understand: Understands,
        make_plan: MakesPlans,
        machine: Callable[[], Machine],
        clock: Callable[[], float],
        other_models: Callable[[], list[str]],
        held: AsksWhatIsHeld,
    ) -> None:
        self._understand = understand
        self._make_plan = make_plan
        self._machine = machine
        self._clock = clock
        self._held = held
        self._other_models = other_models  # that may be offered instead of one that does not fit, the largest first

    async def plan(self, request: PlanRequest, stored: StoredFile, store: Store) -> Plan:
        """Make a plan and keep it. Raises AgentError, where memory, disk or max_length forbid it with what would do."""
        surroundings = await self._surroundings(store)
        understood = await self._understand(stored, request, store)
        try:
            plan = self._made(request, stored, understood, surroundings)
        except AgentError as error:
            is_too_short = error.code is ErrorCode.setting_invalid and error.param == "max_length"
            if error.code not in TOO_LITTLE and not is_too_short:
                raise
            offers = await self._offers(request, stored, understood, surroundings, store, is_too_short=is_too_short)
            raise AgentError(error.message, code=error.code, param=error.param, alternatives=offers) from error
        return await self._keep(plan, understood, request, store)

    async def _surroundings(self, store: Store) -> _Surroundings:
        # A job made now starts when the running one has ended: what that one holds is free by then.
        machine = once_free(await asyncio.to_thread(self._machine), await self._held(store))
        position, wait_minutes = await store.run(queued_jobs.outlook, now=self._clock())
        measured = await store.run(measured_runs.newest)
        return _Surroundings(machine=machine, position=position, wait_minutes=wait_minutes, measured=measured)

    def _made(
        self, request: PlanRequest, stored: StoredFile, understood: Understood, surroundings: _Surroundings
    ) -> Plan:
        return self._make_plan(
            request,
            plan_id=new_id("ftplan"),
            file=stored.file,
            findings=understood.findings,
            card=understood.card,
            machine=surroundings.machine,
            queue_position=surroundings.position,
            queue_wait_minutes=surroundings.wait_minutes,
            now=int(self._clock()),
            measured=surroundings.measured,
            validation=understood.validation,
        )

    async def _keep(self, plan: Plan, understood: Understood, request: PlanRequest, store: Store) -> Plan:
        kept = StoredPlan(plan=plan, card=understood.card, form=understood.findings.form)
        return await store.run(plans.add, kept, requested_by=request.requested_by)

    async def _offers(
        self,
        request: PlanRequest,
        stored: StoredFile,
        understood: Understood,
        surroundings: _Surroundings,
        store: Store,
        *,
        is_too_short: bool,
    ) -> tuple[Alternative, ...]:
        """Make and keep the plans that would do: of the same model, then of others, the largest first."""
        findings, card, rules = understood.findings, understood.card, RULES[request.preset]
        make = partial(self._made, stored=stored, understood=understood, surroundings=surroundings)
        if is_too_short:
            offers = offers_of_longer_rows(request, make, lengths=useful_lengths(findings, card, rules))
            request = changed(request, {"max_length": "auto"})
        else:
            offers = offers_of_this_model(request, make, length=_length(request, understood))
        found = [(offer, understood) for offer in offers]
        if not (is_too_short and found):
            left = IN_ALL - len(found)
            found += await self._offers_of_others(request, stored, understood, surroundings, store, most=left)
        for offer, of in found:
            await self._keep(offer.plan, of, request, store)
        return tuple(offer.as_alternative() for offer, _of in found)

    async def _offers_of_others(
        self,
        request: PlanRequest,
        stored: StoredFile,
        understood: Understood,
        surroundings: _Surroundings,
        store: Store,
        *,
        most: int,
    ) -> list[tuple[Offer, Understood]]:
        found: list[tuple[Offer, Understood]] = []
        for model in self._other_models():
            if len(found) == most:
                break
            other = await self._understood_if_usable(stored, request, model, store) if model != request.model else None
            if other is None or other.card.parameters >= understood.card.parameters:
                continue
            make = partial(self._made, stored=stored, understood=other, surroundings=surroundings)
            offer = offer_of_another(request, model, make, length=_length(request, other))
            found += [(offer, other)] if offer is not None else []
        return found

    async def _understood_if_usable(
        self, stored: StoredFile, request: PlanRequest, model: str, store: Store
    ) -> Understood | None:
        try:
            return await self._understand(stored, request.model_copy(update={"model": model}), store)
        except AgentError as error:
            log.info("%s is not offered: %s", model, error.message)
            return None


def _length(request: PlanRequest, understood: Understood) -> int:
    requested = asked(request.method.hyperparameters.max_length)
    return planned_length(requested, understood.findings, understood.card, RULES[request.preset])[0]
