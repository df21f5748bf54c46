"""Takes in what people ask for before anything runs: inspects files, makes plans, validates jobs without one."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from agent.base_models.card import BaseModelCard
from agent.data.findings import Findings, Mended
from agent.data.reading.unclear import UnclearError
from agent.errors import AgentError
from agent.gpu import Machine
from agent.inspector import Told
from agent.plan.alternatives import IN_ALL, TOO_LITTLE, offer_of_another, offers_of_this_model
from agent.plan.duration import MeasuredRun
from agent.store import Store, files, inspections, jobs, plans, running, waiting
from agent.store.files import StoredFile
from agent.store.ids import new_id
from agent.store.inspections import Understood
from agent.store.patience import PatientStore
from agent.store.plans import StoredPlan
from shared.errors import ErrorCode, ErrorDetail
from shared.files import FileObject, FilePurpose, FixRequest
from shared.inspections import Fix, Inspection, InspectionRequest, ReadingProgress
from shared.jobs import Job, JobError, JobStatus
from shared.language import _, speaking
from shared.mapping import Mapping
from shared.plans import Alternative, Plan, PlanRequest

log = logging.getLogger(__name__)

FRESH_S = 15 * 60  # how long an inspection's findings stand in for a new look at the same file and model
AT_ONCE = 2  # inspect children


class Inspects(Protocol):
    """Reads a dataset as a base model will see it."""

    async def inspect(
        self, *, dataset: Path, model: str, mapping: Mapping | None, told: Told
    ) -> tuple[BaseModelCard, Findings]:
        """Raise AgentError when it cannot be trained on, UnclearError when a person has to say how it is read."""

    async def mend(
        self, *, dataset: Path, model: str, fixes: list[Fix], output: Path, limit_bytes: int, mapping: Mapping | None
    ) -> Mended:
        """Write a mended copy; raise AgentError when nothing would be left."""


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
    ) -> Plan:
        """Raise AgentError when it cannot fit."""


@dataclass(frozen=True, kw_only=True)
class _Surroundings:
    """What a plan depends on beside its request, file and model."""

    machine: Machine
    position: int
    wait_minutes: float
    measured: list[MeasuredRun]


class Intake:
    """Looks before anything leaps."""

    def __init__(
        self,
        *,
        store: Store,
        data_dir: Path,
        inspector: Inspects,
        make_plan: MakesPlans,
        machine: Callable[[], Machine],
        clock: Callable[[], float],
        other_models: Callable[[], list[str]] = list,
    ) -> None:
        self._store = store
        self._patient = PatientStore(store)  # for what was accepted already
        self._data_dir = data_dir
        self._inspector = inspector
        self._make_plan = make_plan
        self._machine = machine
        self._clock = clock
        self._other_models = other_models  # that may be offered instead of one that does not fit, the largest first
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._progress: dict[str, ReadingProgress] = {}  # of inspections that run

    async def resume(self) -> None:
        """Take up what an earlier agent left: validate again, and end the inspections nobody runs any more."""
        await self._store.run(inspections.fail_interrupted)
        for job in await self._store.run(jobs.with_status, JobStatus.validating_files):
            self.validate(job)

    async def close(self) -> None:
        """Stop the work in the background; a job being validated is validated again at the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def inspect(self, file_id: str, request: InspectionRequest) -> Inspection:
        """Start an inspection and return it at once."""
        stored = await self._store.run(files.get, file_id)
        must_be_dataset(stored.file)
        inspection = Inspection(
            id=new_id("insp"),
            created_at=int(self._clock()),
            status="running",
            file_id=file_id,
            model=request.model,
            mapping=request.mapping,
            note=request.note,
        )
        await self._store.run(inspections.add, inspection)
        self._spawn(self._inspect(inspection, stored), name=inspection.id)
        return inspection

    def progress_of(self, inspection_id: str) -> ReadingProgress | None:
        """Return how far a running inspection is, once it has said so."""
        return self._progress.get(inspection_id)

    async def mend(self, stored: StoredFile, request: FixRequest, *, output: Path, limit_bytes: int) -> Mended:
        """Write a mended copy of a dataset to `output`. Raises AgentError."""
        must_be_dataset(stored.file)
        async with self._slots:
            return await self._inspector.mend(
                dataset=self._data_dir / stored.path,
                model=request.model,
                fixes=list(request.fixes),
                output=output,
                limit_bytes=limit_bytes,
                mapping=request.mapping,
            )

    async def plan(self, request: PlanRequest) -> Plan:
        """Make a plan and keep it. Raises AgentError when the data, the model or the machine forbids it.

        Where memory or disk do not reach, the error carries what would fit: plans that are kept as well.
        """
        return await self._plan(request, self._store)

    async def _plan(self, request: PlanRequest, store: Store | PatientStore) -> Plan:
        stored = await store.run(files.get, request.training_file)
        must_be_dataset(stored.file)
        surroundings = await self._surroundings(store)
        understood = await self._understand(stored, request, store)
        try:
            plan = self._made(request, stored, understood, surroundings)
        except AgentError as error:
            if error.code not in TOO_LITTLE:
                raise
            offers = await self._offers(request, stored, understood, surroundings, store)
            raise AgentError(error.message, code=error.code, param=error.param, alternatives=offers) from error
        return await self._keep(plan, understood, request, store)

    async def _surroundings(self, store: Store | PatientStore) -> _Surroundings:
        machine = await asyncio.to_thread(self._machine)
        position, wait_minutes = await store.run(waiting.outlook, now=self._clock())
        measured = await store.run(running.measured)
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
        )

    async def _keep(
        self, plan: Plan, understood: Understood, request: PlanRequest, store: Store | PatientStore
    ) -> Plan:
        kept = StoredPlan(plan=plan, card=understood.card, form=understood.findings.form)
        return await store.run(plans.add, kept, requested_by=request.requested_by)

    async def _offers(
        self,
        request: PlanRequest,
        stored: StoredFile,
        understood: Understood,
        surroundings: _Surroundings,
        store: Store | PatientStore,
    ) -> tuple[Alternative, ...]:
        """Make and keep the plans that would fit: of the same model, then of others, the largest first."""
        found = [
            (offer, understood)
            for offer in offers_of_this_model(
                request, lambda lighter: self._made(lighter, stored, understood, surroundings)
            )
        ]
        for model in self._other_models():
            if len(found) == IN_ALL:
                break
            other = await self._understood_if_usable(stored, request, model, store) if model != request.model else None
            if other is None or other.card.parameters >= understood.card.parameters:
                continue
            make = partial(self._made, stored=stored, understood=other, surroundings=surroundings)
            offer = offer_of_another(request, model, make)
            found += [(offer, other)] if offer is not None else []
        for offer, of in found:
            await self._keep(offer.plan, of, request, store)
        return tuple(offer.as_alternative() for offer, _of in found)

    async def _understood_if_usable(
        self, stored: StoredFile, request: PlanRequest, model: str, store: Store | PatientStore
    ) -> Understood | None:
        try:
            return await self._understand(stored, request.model_copy(update={"model": model}), store)
        except AgentError as error:
            log.info("%s is not offered: %s", model, error.message)
            return None

    def validate(self, job: Job) -> None:
        """Inspect and plan a stored job in the background; it ends up queued or failed."""
        self._spawn(self._validate(job), name=job.id)

    async def _validate(self, job: Job) -> None:
        request = PlanRequest(
            model=job.model,
            training_file=job.training_file,
            mapping=job.mapping,
            method=job.method,
            suffix=job.suffix or None,
            seed=job.seed,
            requested_by=job.requested_by,
        )
        try:
            with speaking(job.requested_by.language if job.requested_by else None):
                plan = await self._plan(request, self._patient)
        except Exception as error:  # whatever it is, the job must not be left waiting
            detail = _detail(error, job.id)
            failure = JobError(code=detail.code, message=detail.message, param=detail.param)
            await self._patient.run(jobs.fail, job.id, failure, now=self._clock())
        else:
            await self._patient.run(jobs.accept_plan, job.id, plan.id, now=self._clock())

    async def _inspect(self, inspection: Inspection, stored: StoredFile) -> None:
        def told(progress: ReadingProgress) -> None:
            self._progress[inspection.id] = progress

        try:
            understood = await self._look(stored, inspection.model, inspection.mapping, told)
        except UnclearError as unclear:
            update = {"status": "completed", "question": unclear.question}
            await self._patient.run(inspections.finish, inspection.model_copy(update=update))
            return
        except Exception as error:  # whatever it is, whoever waits must hear of it
            update = {"status": "failed", "error": _detail(error, inspection.id)}
            await self._patient.run(inspections.finish, inspection.model_copy(update=update))
            return
        finally:
            self._progress.pop(inspection.id, None)
        found = understood.findings
        shown = found.model_copy(update={"dropped": found.dropped[:20]})
        update = {name: getattr(shown, name) for name in Inspection.model_fields if name in Findings.model_fields}
        answer = inspection.model_copy(update=update | {"status": "completed"})
        await self._patient.run(inspections.finish, answer, understood)

    async def _understand(self, stored: StoredFile, request: PlanRequest, store: Store | PatientStore) -> Understood:
        since = int(self._clock()) - FRESH_S
        known = await store.run(
            inspections.newest_understood,
            file_id=stored.file.id,
            model=request.model,
            mapping=request.mapping,
            since=since,
        )
        return known or await self._look(stored, request.model, request.mapping)

    async def _look(
        self, stored: StoredFile, model: str, mapping: Mapping | None, told: Told = lambda _progress: None
    ) -> Understood:
        async with self._slots:
            path = self._data_dir / stored.path
            card, findings = await self._inspector.inspect(dataset=path, model=model, mapping=mapping, told=told)
        return Understood(card=card, findings=findings)

    def _spawn(self, work: Coroutine[None, None, None], *, name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def must_be_dataset(file: FileObject) -> None:
    """Refuse to train on what a job made."""
    if file.purpose is not FilePurpose.fine_tune:
        raise AgentError(
            _(
                "{filename} is the result of a job, not a dataset. Send a file with purpose “fine-tune”.",
                filename=file.filename,
            ),
            code=ErrorCode.invalid_request,
            param="training_file",
        )


def _detail(error: Exception, reference: str) -> ErrorDetail:
    if isinstance(error, AgentError):
        return ErrorDetail(message=error.message, type="invalid_request_error", code=error.code, param=error.param)
    log.error("%s: failed", reference, exc_info=error)
    message = _("Something unexpected went wrong on the agent. Its log has it under {reference}.", reference=reference)
    return ErrorDetail(message=message, type="server_error", code=ErrorCode.internal)
