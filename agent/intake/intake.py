"""Takes in what people ask for before anything runs: inspects files, makes plans, validates jobs without one."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from agent.admission.turns import Turns
from agent.base_models.card import BaseModelCard
from agent.data.findings import Findings, Mended, ValidationRows
from agent.data.readers.unclear import UnclearError
from agent.errors import AgentError
from agent.intake.inspector import ReportReading
from agent.intake.planner import MakesPlans, Planner
from agent.intake.validation import check_validation, must_be_dataset, of_validation
from agent.machine.gpu import Machine
from agent.methods.table import suggested_for
from agent.running.held_memory import AsksWhatIsHeld, nothing_held
from agent.store import Store, files, inspections, jobs, new_jobs
from agent.store.files import StoredFile
from agent.store.ids import new_id
from agent.store.inspections import Understood
from shared.errors import ErrorCode, ErrorDetail
from shared.files import FixRequest
from shared.inspections import Fix, Inspection, InspectionRequest, ReadingProgress
from shared.jobs import Job, JobError, JobStatus
from shared.language import _, speaking
from shared.mapping import Mapping
from shared.people import RequestedBy
from shared.plans import Plan, PlanRequest

log = logging.getLogger(__name__)

FRESH_S = 15 * 60  # how long an inspection's findings stand in for a new look at the same file and model
AT_ONCE = 3  # inspect children; of one person one, so that their slow files hold back nobody else


class Inspects(Protocol):
    """Reads a dataset as a base model will see it."""

    async def inspect(
        self,
        *,
        dataset: Path,
        model: str,
        mapping: Mapping | None,
        report_reading: ReportReading,
        training: Path | None = None,
    ) -> tuple[BaseModelCard, Findings]:
        """Raise AgentError when it cannot be trained on, UnclearError when a person has to say how it is read.

        `training` is the file that is trained on, where the dataset is to be held out.
        """

    async def mend(
        self, *, dataset: Path, model: str, fixes: list[Fix], output: Path, limit_bytes: int, mapping: Mapping | None
    ) -> Mended:
        """Write a mended copy; raise AgentError when nothing would be left."""


class Intake:
    """Inspects files and makes plans and jobs, each checked before anything runs."""

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
        held: AsksWhatIsHeld = nothing_held,
    ) -> None:
        self._store = store
        self._patient = store.patient()  # for what was accepted already
        self._data_dir = data_dir
        self._inspector = inspector
        self._clock = clock
        self._planner = Planner(
            understand=self._understand,
            make_plan=make_plan,
            machine=machine,
            clock=clock,
            other_models=other_models,
            held=held,
        )
        self._turns = Turns(at_once=AT_ONCE)
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

    async def inspect(
        self, file_id: str, request: InspectionRequest, *, ended: Callable[[], None] = lambda: None
    ) -> Inspection:
        """Start an inspection and return it at once; `ended` is called when it is over, or could not be started."""
        try:
            inspection, stored = await self._begin(file_id, request)
        except BaseException:
            ended()
            raise
        self._spawn(self._inspect(inspection, stored, request.requested_by), name=inspection.id, ended=ended)
        return inspection

    async def _begin(self, file_id: str, request: InspectionRequest) -> tuple[Inspection, StoredFile]:
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
        return await self._store.run(inspections.add, inspection), stored

    def progress_of(self, inspection_id: str) -> ReadingProgress | None:
        """Return how far a running inspection is, once it has said so."""
        return self._progress.get(inspection_id)

    async def mend(self, stored: StoredFile, request: FixRequest, *, output: Path, limit_bytes: int) -> Mended:
        """Write a mended copy of a dataset to `output`. Raises AgentError."""
        must_be_dataset(stored.file)
        async with self._turns.turn(_person(request.requested_by)):
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

        Where memory, disk or max_length do not reach, the error carries what would do: plans that are kept as well.
        """
        return await self._plan(request, self._store)

    async def _plan(self, request: PlanRequest, store: Store) -> Plan:
        stored = await store.run(files.get, request.training_file)
        must_be_dataset(stored.file)
        if request.validation_file is not None:
            check_validation((await store.run(files.get, request.validation_file)).file, stored.file)
        return await self._planner.plan(request, stored, store)

    def validate(self, job: Job) -> None:
        """Inspect and plan a stored job in the background; it ends up queued or failed."""
        self._spawn(self._validate(job), name=job.id)

    async def _validate(self, job: Job) -> None:
        try:
            with speaking(job.requested_by.language if job.requested_by else None):
                request = await self._patient.run(new_jobs.wanted, job.id)
                plan = await self._plan(request, self._patient)
        except Exception as error:  # whatever it is, the job must not be left waiting
            detail = _detail(error, job.id)
            failure = JobError(code=detail.code, message=detail.message, param=detail.param)
            await self._patient.run(jobs.fail, job.id, failure, now=self._clock())
        else:
            await self._patient.run(jobs.accept_plan, job.id, plan.id, now=self._clock())

    async def _inspect(self, inspection: Inspection, stored: StoredFile, who: RequestedBy | None) -> None:
        def keep(progress: ReadingProgress) -> None:
            self._progress[inspection.id] = progress

        try:
            understood = await self._look(stored, inspection.model, inspection.mapping, who, keep)
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
        update |= {"status": "completed", "method": suggested_for(found.form, found.judged)}
        answer = inspection.model_copy(update=update)
        await self._patient.run(inspections.finish, answer, understood)

    async def _understand(self, stored: StoredFile, request: PlanRequest, store: Store) -> Understood:
        since = int(self._clock()) - FRESH_S
        known = await store.run(
            inspections.newest_understood,
            file_id=stored.file.id,
            model=request.model,
            mapping=request.mapping,
            since=since,
        )
        understood = known or await self._look(stored, request.model, request.mapping, request.requested_by)
        if request.validation_file is None:
            return understood
        held = await store.run(files.get, request.validation_file)
        return replace(understood, validation=await self._look_at_validation(held, stored, request))

    async def _look_at_validation(self, held: StoredFile, stored: StoredFile, request: PlanRequest) -> ValidationRows:
        async with self._turns.turn(_person(request.requested_by)):
            try:
                _card, findings = await self._inspector.inspect(
                    dataset=self._data_dir / held.path,
                    model=request.model,
                    mapping=request.mapping,
                    report_reading=lambda _progress: None,
                    training=self._data_dir / stored.path,
                )
            except AgentError as error:
                raise of_validation(held.file, error) from error
        return ValidationRows(file=held.file, findings=findings)

    async def _look(
        self,
        stored: StoredFile,
        model: str,
        mapping: Mapping | None,
        who: RequestedBy | None,
        report_reading: ReportReading = lambda _progress: None,
    ) -> Understood:
        async with self._turns.turn(_person(who)):
            path = self._data_dir / stored.path
            card, findings = await self._inspector.inspect(
                dataset=path, model=model, mapping=mapping, report_reading=report_reading
            )
        return Understood(card=card, findings=findings)

    def _spawn(self, work: Coroutine[None, None, None], *, name: str, ended: Callable[[], None] = lambda: None) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _task: ended())


def _person(who: RequestedBy | None) -> tuple[str, str] | None:
    """Return by whom turns are taken."""
    return (who.platform, who.person) if who is not None else None


def _detail(error: Exception, reference: str) -> ErrorDetail:
    if isinstance(error, AgentError):
        return ErrorDetail(message=error.message, type="invalid_request_error", code=error.code, param=error.param)
    log.error("%s: failed", reference, exc_info=error)
    message = _("Something unexpected went wrong on the agent. Its log has it under {reference}.", reference=reference)
    return ErrorDetail(message=message, type="server_error", code=ErrorCode.internal)
