"""A job is made: from a plan or from settings alone, and once for each key."""

import hashlib
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from agent.admission.bounds import Party, Use, check
from agent.errors import AgentError
from agent.store import columns, events, files, jobs, plans
from agent.store.ids import new_id
from agent.store.job_view import Labels
from agent.store.requester import from_columns, to_columns
from agent.store.tables import IdempotencyRow, JobRow
from shared.errors import ErrorCode
from shared.hyperparameters import Hyperparameters, Method
from shared.jobs import START_WITHIN_S, UNFINISHED, Job, JobRequest, JobStatus
from shared.language import _
from shared.mapping import Mapping
from shared.plans import PlanRequest

DEFAULT_SEED = 42  # as a plan's


@dataclass(frozen=True, kw_only=True)
class Created:
    """The answer to a create: the job, and whether it is a new one."""

    job: Job
    new: bool


def create(
    session: Session,
    request: JobRequest,
    *,
    now: float,
    idempotency_key: str | None = None,
    party: Party | None = None,
) -> Created:
    """Store a job, or return the one that this key (a plan is its own key) has made already.

    With a plan it is queued at once; without, it waits in `validating_files` for one.
    """
    key = f"plan:{request.plan}" if request.plan else f"key:{idempotency_key}" if idempotency_key else None
    earlier = session.get(IdempotencyRow, key) if key else None
    if earlier is not None:
        if not request.plan and earlier.body_sha256 != _body_hash(request):
            raise AgentError(
                _(
                    "The Idempotency-Key {key!r} was used before, for another request. Send a new key.",
                    key=idempotency_key,
                ),
                code=ErrorCode.idempotency_conflict,
            )
        return Created(job=jobs.get(session, earlier.job_id, now=now), new=False)
    _check_start(request.start_at, now)
    if party is not None:
        _check_unfinished(session, party)
    row = _planned(session, request, now) if request.plan else _unplanned(session, request, now)
    session.add(row)
    session.flush()
    for file in filter(None, (row.training_file, row.validation_file)):
        files.note_use(session, file, now=int(now))
    if key:
        session.add(IdempotencyRow(key=key, body_sha256=_body_hash(request), job_id=row.id))
    created = jobs.state_record(JobStatus.validating_files, _("Created fine-tuning job: {id}", id=row.id), now)
    events.append(session, row.id, [created])
    if request.plan:
        jobs.move(session, row.id, JobStatus.queued, now=now, message=_("The plan is accepted; the job is queued"))
    return Created(job=jobs.shown(session, [row], now)[0], new=True)


def _check_unfinished(session: Session, party: Party) -> None:
    """Raise too_much_at_once for who has too many jobs that have not ended."""
    platform, person = party.person or (None, None)
    check(
        Use.job,
        party,
        of_person=_unfinished(session, JobRow.platform == platform, JobRow.person == person),
        of_key=_unfinished(session, JobRow.platform.in_(party.platforms or ())),
    )


def _unfinished(session: Session, *where: sa.ColumnElement[bool]) -> int:
    query = sa.select(sa.func.count()).select_from(JobRow).where(JobRow.status.in_(UNFINISHED), *where)
    return session.scalar(query) or 0


def wanted(session: Session, job_id: str) -> PlanRequest:
    """Return what a job without a plan asked for. Raises AgentError where that cannot be read any more."""
    row = jobs.row_of(session, job_id)
    return PlanRequest(
        model=row.model,
        training_file=row.training_file,
        validation_file=row.validation_file,
        mapping=columns.demand(Mapping, row.mapping, of=job_id) if row.mapping else None,
        method=columns.demand(Method, row.method, of=job_id),
        suffix=row.suffix or None,
        seed=row.seed,
        requested_by=from_columns(row),
    )


def _check_start(start_at: int | None, now: float) -> None:
    if start_at is not None and start_at > now + START_WITHIN_S:
        raise AgentError(
            _(
                "start_at is {start_at}, more than a year ahead. Give a time within a year, in seconds since 1970.",
                start_at=start_at,
            ),
            code=ErrorCode.invalid_request,
            param="start_at",
        )


def _planned(session: Session, request: JobRequest, now: float) -> JobRow:
    plan = plans.get(session, str(request.plan)).plan
    if plan.expires_at <= now:
        raise AgentError(
            _("Plan {id} is older than seven days. Make a new one.", id=plan.id), code=ErrorCode.plan_expired
        )
    for file in filter(None, (plan.training_file, plan.validation_file)):
        files.get(session, file)
    row = _new_row(request, now, model=plan.model, training_file=plan.training_file)
    row.seed, row.method, row.suffix, row.plan_id = plan.seed, plan.method.model_dump_json(), plan.suffix, plan.id
    row.validation_file = plan.validation_file
    row.mapping = plan.mapping.model_dump_json() if plan.mapping else None
    return row


def _unplanned(session: Session, request: JobRequest, now: float) -> JobRow:
    assert request.model is not None  # the API asks for both when there is no plan
    assert request.training_file is not None
    for file in filter(None, (request.training_file, request.validation_file)):
        files.get(session, file)
    method = request.method or Method().with_hyperparameters(request.hyperparameters or Hyperparameters())
    row = _new_row(request, now, model=request.model, training_file=request.training_file)
    row.method, row.suffix = method.model_dump_json(), request.suffix
    row.validation_file = request.validation_file
    row.mapping = request.mapping.model_dump_json() if request.mapping else None
    row.seed = DEFAULT_SEED if request.seed is None else request.seed
    return row


def _new_row(request: JobRequest, now: float, *, model: str, training_file: str) -> JobRow:
    return JobRow(
        id=new_id("ftjob"),
        created_at=int(now),
        status=JobStatus.validating_files,
        model=model,
        training_file=training_file,
        labels=Labels(labels=request.metadata).model_dump_json() if request.metadata else None,
        cancel_requested=False,
        tail_offset=0,
        start_at=request.start_at,
        attempt=1,
        **to_columns(request.requested_by),
    )


def _body_hash(request: JobRequest) -> str:
    return hashlib.sha256(request.model_dump_json().encode()).hexdigest()
