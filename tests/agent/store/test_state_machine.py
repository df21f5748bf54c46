"""Whatever happens to jobs in whatever order: one trainer, one end, no event lost. Found by Hypothesis."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy.orm import Session

from agent.attempts import Reached
from agent.data.findings import Findings
from agent.errors import AgentError
from agent.plan.resolve import make_plan
from agent.store import events, files, jobs, machine, new_jobs, plans, running
from agent.store.plans import StoredPlan
from agent.store.tables import Base, EventRow, JobRow
from shared.errors import ErrorCode
from shared.events import CheckpointData, EventRecord, StateData
from shared.files import FileObject, FilePurpose
from shared.inspections import DatasetForm, SampleRow, TokenCounts
from shared.jobs import ATTEMPTS, FINISHED, JobError, JobRequest, JobStatus, PauseReason
from shared.plans import PlanRequest
from tests.agent.fake_inspector import CARD, MODEL
from tests.agent.running import MACHINE

HOUR_S = 3600
TRAINER_SAYS = st.sampled_from(["step", "checkpoint", "succeeded", "failed", "cancelled", "disk full"])


def planned(session: Session) -> str:
    """Store a file and a plan for it; return the plan's id."""
    files.add(session, file_id="file-1", filename="a", size=1, sha256="0", path="files/1", now=0, requested_by=None)
    tokens = TokenCounts(total=2000, trained=1000, median=20, p95=20, longest=20, longest_answer=10)
    findings = Findings(
        form=DatasetForm.prompt_completion, rows=100, dropped_count=0, dropped=[], tokens=tokens,
        sample=SampleRow(line=1, parts=[]), notes=[],
    )  # fmt: skip
    file = FileObject(
        id="file-1", bytes=1, created_at=0, filename="a", purpose=FilePurpose.fine_tune, sha256="0"
    )  # fmt: skip
    plan = make_plan(
        PlanRequest(model=MODEL, training_file="file-1", suffix="toast"), plan_id="ftplan-1", file=file,
        findings=findings, card=CARD, machine=MACHINE, queue_position=1, queue_wait_minutes=0, now=0, measured=[],
    )  # fmt: skip
    return plans.add(session, StoredPlan(plan=plan, card=CARD, form=findings.form), requested_by=None).id


class JobTable(RuleBasedStateMachine):
    """The job table, and a simple model of what must be in it."""

    made = Bundle("made")

    def __init__(self) -> None:
        super().__init__()
        self.engine = sa.create_engine("sqlite://")
        Base.metadata.create_all(self.engine)
        self.now = 1_800_000_000.0
        self.serial = 0
        self.ended: dict[str, str] = {}  # job → how it ended, noted once
        self.events = 0
        self.cancelled: set[str] = set()
        self.do(planned)

    def do(self, function: Any, *arguments: Any, **keywords: Any) -> Any:
        """Run one transaction, as the store does."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            return function(session, *arguments, **keywords)

    def teardown(self) -> None:
        self.engine.dispose()

    def running_job(self) -> JobRow | None:
        query = sa.select(JobRow).where(JobRow.status == JobStatus.running)
        found: JobRow | None = self.do(lambda session: session.scalars(query).first())
        return found

    def attempt(self, function: Any, job_id: str) -> None:
        """Ask for something that may be refused, for these reasons alone."""
        refusals = {ErrorCode.job_finished, ErrorCode.job_not_running, ErrorCode.job_not_paused}
        try:
            self.do(function, job_id, now=self.now)
        except AgentError as error:
            if error.code not in refusals:
                raise

    @rule(target=made, start_in_s=st.sampled_from([None, 0, HOUR_S]), twice=st.booleans())
    def create(self, start_in_s: int | None, twice: bool) -> str:
        self.serial += 1
        start_at = None if start_in_s is None else round(self.now) + start_in_s
        request = JobRequest(model=MODEL, training_file="file-1", start_at=start_at)
        key = f"key-{self.serial}"
        first, *others = [
            str(self.do(new_jobs.create, request, now=self.now, idempotency_key=key).job.id) for _ in range(1 + twice)
        ]
        assert others == [first] * twice
        return first

    @rule(job_id=made)
    def validate(self, job_id: str) -> None:
        self.do(jobs.accept_plan, job_id, "ftplan-1", now=self.now)

    @rule(seconds=st.sampled_from([1, 60, 2 * HOUR_S, 24 * HOUR_S, -24 * HOUR_S]))
    def let_time_pass(self, seconds: int) -> None:
        self.now += seconds

    @rule()
    def claim(self) -> None:
        before = self.running_job()
        claim = self.do(running.claim_next, now=self.now)
        if claim is not None:
            assert before is None
            assert not self.do(machine.is_paused)
            assert claim.job.start_at is None or claim.job.start_at <= self.now
            assert claim.job.id not in self.cancelled

    @precondition(lambda self: self.running_job() is not None)
    @rule(words=st.lists(TRAINER_SAYS, min_size=1, max_size=4))
    def trainer_says(self, words: list[str]) -> None:
        row = self.running_job()
        assert row is not None
        records = [self.record(word) for word in words]
        offset = row.tail_offset + len(records)
        self.do(
            running.take_events, row.id, records, offset=offset, folder=Path("/nowhere/job"),
            data_dir=Path("/nowhere"), now=self.now,
        )  # fmt: skip

    def record(self, word: str) -> EventRecord:
        if word == "checkpoint":
            data: Any = CheckpointData(step=1, train_loss=None, valid_loss=None, best=False)
        elif word == "step":
            data = StateData(status=JobStatus.running)
        else:
            data = StateData(status=JobStatus.paused if word == "disk full" else JobStatus(word))
        return EventRecord(created_at=self.now, message=word, data=data)

    @precondition(lambda self: self.running_job() is not None)
    @rule(step=st.integers(0, 2), boot=st.sampled_from(["one", "two"]))
    def trainer_dies(self, step: int, boot: str) -> None:
        row = self.running_job()
        assert row is not None
        look = self.do(running.look, row.id)
        if look.cancel_requested:
            self.end(row.id, JobStatus.cancelled, None)
        elif look.pause_wish is not None:
            self.do(running.pause, row.id, look.pause_wish, message="Paused", now=self.now)
        elif self.do(running.count_death, row.id, Reached(stages=0, step=step), boot=boot).following is None:
            self.end(row.id, JobStatus.failed, JobError(code=ErrorCode.trainer_died, message="It died."))
        else:
            self.do(running.spawning, row.id, boot=boot)

    @precondition(lambda self: self.running_job() is not None)
    @rule()
    def gpu_is_lost(self) -> None:
        row = self.running_job()
        assert row is not None
        self.do(running.pause_without_gpu, row.id, message="The GPU is gone", now=self.now)
        assert self.do(machine.is_paused)

    def end(self, job_id: str, to: JobStatus, error: JobError | None) -> None:
        self.do(
            running.end, job_id, to, message="Ended", error=error, adapter=None, folder=Path("/nowhere/job"),
            data_dir=Path("/nowhere"), now=self.now,
        )  # fmt: skip

    @rule(job_id=made)
    def cancel(self, job_id: str) -> None:
        if job_id not in self.ended:
            self.cancelled.add(job_id)
        self.attempt(jobs.request_cancel, job_id)

    @rule()
    def wind_up(self) -> None:
        for job_id in self.do(running.to_wind_up):
            self.end(job_id, JobStatus.cancelled, None)

    @rule(job_id=made)
    def pause(self, job_id: str) -> None:
        self.attempt(jobs.request_pause, job_id)

    @rule(job_id=made)
    def resume(self, job_id: str) -> None:
        self.attempt(jobs.request_resume, job_id)

    @rule()
    def pause_machine(self) -> None:
        self.do(machine.pause, now=self.now)

    @rule()
    def resume_machine(self) -> None:
        self.do(machine.resume, now=self.now)

    @invariant()
    def one_trainer(self) -> None:
        count = sa.select(sa.func.count()).where(JobRow.status == JobStatus.running)
        assert self.do(lambda session: session.scalar(count)) <= 1

    @invariant()
    def one_end(self) -> None:
        rows = self.do(lambda session: session.scalars(sa.select(JobRow)).all())
        for row in rows:
            if row.status in FINISHED:
                assert self.ended.setdefault(row.id, row.status) == row.status
                assert row.finished_at is not None
            else:
                assert row.id not in self.ended
            ends = [r for r in self.do(events.records_of, row.id, "state") if r.data.status in FINISHED]
            assert [r.data.status for r in ends] == ([row.status] if row.status in FINISHED else [])
            assert (row.status == JobStatus.paused) == (row.paused_for is not None)
            assert row.paused_for is None or PauseReason(row.paused_for)
            assert 1 <= row.attempt <= ATTEMPTS

    @invariant()
    def a_machine_that_goes_on_leaves_no_job_behind(self) -> None:
        query = sa.select(JobRow).where(JobRow.paused_for.in_((PauseReason.agent, PauseReason.gpu)))
        waiting = self.do(lambda session: session.scalars(query).all())
        assert self.do(machine.is_paused) or all(row.cancel_requested for row in waiting)

    @invariant()
    def no_event_lost(self) -> None:
        rows = self.do(lambda session: session.execute(sa.select(EventRow.job_id, EventRow.sequence)).all())
        assert len(rows) >= self.events
        self.events = len(rows)
        by_job: dict[str, list[int]] = {}
        for job_id, sequence in rows:
            by_job.setdefault(job_id, []).append(sequence)
        assert all(sorted(found) == list(range(1, len(found) + 1)) for found in by_job.values())

    @invariant()
    def places_are_whole(self) -> None:
        query = sa.select(JobRow.queue_position).where(
            JobRow.status == JobStatus.queued, JobRow.cancel_requested.is_(False)
        )
        found = sorted(self.do(lambda session: session.scalars(query).all()))
        assert found == list(range(1, len(found) + 1))


def how_many(examples: int) -> settings:
    """Return the settings for so many stories; `make soak` tells more of them than `make test`."""
    return settings(
        max_examples=examples,
        stateful_step_count=30,
        deadline=None,
        database=None,
        phases=[Phase.generate],  # a failing story is printed as found: shortening takes longer than reading it
        suppress_health_check=[HealthCheck.too_slow],
    )


TestJobTable = pytest.mark.slow(JobTable.TestCase)
TestJobTable.settings = how_many(60)
