"""Whatever happens to jobs in whatever order: one trainer, one end, nothing lost. Found by Hypothesis.

What holds at every moment is in `promises`; what becomes of a job whose trainer is gone is decided by the agent's own
code, through `fates`.
"""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)
from sqlalchemy.orm import Session

from agent.errors import AgentError
from agent.running.trainer_watch import TrainerExit
from agent.scheduling.queue import PATIENCE_S
from agent.scheduling.worker import LOCAL
from agent.store import jobs, machine_state, new_jobs, running_jobs
from agent.store.tables import JobRow
from shared.errors import ErrorCode
from shared.events import CheckpointData, EventRecord, StateData
from shared.jobs import ATTEMPTS, FINISHED, START_WITHIN_S, JobRequest, JobStatus
from tests.agent.fake_inspector import MODEL
from tests.agent.store.fates import Fates
from tests.agent.store.one_engine import ENGINE, empty
from tests.agent.store.planned import planned
from tests.agent.store.promises import Promises

DAY_S = 24 * 3600
NOW = 1_800_000_000
START_IN_S = st.none() | st.integers(0, 300) | st.integers(-NOW, START_WITHIN_S)
RARELY = st.sampled_from([False] * 4 + [True])
TRAINER_SAYS = st.sampled_from(["step", "checkpoint", "succeeded", "failed", "cancelled", "disk full"])


class JobTable(RuleBasedStateMachine):
    """The job table, and a simple model of what must be in it."""

    made = Bundle("made")

    def __init__(self) -> None:
        super().__init__()
        self.do(empty)
        self.now = float(NOW)
        self.clock_jumps = self.set_back = False
        self.boot = 1
        self.serial = 0
        self.jobs: list[str] = []
        self.promises = Promises()
        self.deaths: dict[str, int] = {}  # job → in a row at one place, without a reboot
        self.started_in: dict[str, int] = {}  # job → in which run of the system
        self.cancelled: set[str] = set()
        self.fates = Fates(self.do, clock=lambda: self.now, boot=lambda: str(self.boot))
        self.do(planned)

    def do(self, function: Any, *arguments: Any, **keywords: Any) -> Any:
        """Run one transaction, as the store does."""
        with Session(ENGINE, expire_on_commit=False) as session, session.begin():
            return function(session, *arguments, **keywords)

    def teardown(self) -> None:
        try:
            self.bring_all_to_an_end()
        finally:
            self.fates.forget()

    def rows(self, *where: sa.ColumnElement[bool]) -> list[JobRow]:
        query = sa.select(JobRow).where(*where).order_by(JobRow.number)
        return list(self.do(lambda session: session.scalars(query).all()))

    def running_job(self) -> JobRow | None:
        return next(iter(self.rows(JobRow.status == JobStatus.running)), None)

    def bring_all_to_an_end(self) -> None:
        """No job is lost: on a machine that goes on, with trainers that succeed, each that was ever made ends."""
        self.pause_or_resume_machine(paused=False)
        self.promises_hold()
        for job_id in self.jobs:
            self.validate(job_id)
        for _ in range(len(self.jobs) + 1):
            self.wind_up()
            for row in self.rows(JobRow.status == JobStatus.paused):
                self.resume(row.id)
            self.now = max([self.now, *(row.start_at or 0 for row in self.rows())])
            self.claim(starts=True)
            if self.running_job() is not None:
                self.trainer_says(["succeeded"])
        self.promises_hold()
        assert [row.id for row in self.rows()] == self.jobs
        assert {row.status for row in self.rows()} <= FINISHED

    def attempt(self, function: Any, job_id: str) -> None:
        """Ask for something that may be refused, for these reasons alone."""
        refusals = {ErrorCode.job_finished, ErrorCode.job_not_running, ErrorCode.job_not_paused}
        try:
            self.do(function, job_id, now=self.now)
        except AgentError as error:
            if error.code not in refusals:
                raise

    @initialize(target=made, start_in_s=st.lists(START_IN_S, max_size=3), clock_jumps=RARELY)
    def begin_with(self, start_in_s: list[int | None], clock_jumps: bool) -> MultipleResults[str]:
        """Begin most stories with a job that runs."""
        self.clock_jumps = clock_jumps
        made = [str(self.create(start, twice=False, valid=True, claims=False)) for start in start_in_s]
        self.claim(starts=True)
        return multiple(*made)

    @rule(target=made, start_in_s=START_IN_S, twice=st.booleans(), valid=st.booleans(), claims=st.booleans())
    def create(self, start_in_s: int | None, twice: bool, valid: bool, claims: bool) -> str:
        self.serial += 1
        start_at = None if start_in_s is None else max(0, int(self.now) + start_in_s)
        request = JobRequest(model=MODEL, training_file="file-1", start_at=start_at)
        key = f"key-{self.serial}"
        first, *others = [
            str(self.do(new_jobs.create, request, now=self.now, idempotency_key=key).job.id) for _ in range(1 + twice)
        ]
        assert others == [first] * twice
        self.jobs.append(first)
        if valid:
            self.validate(first)
        if claims:
            self.claim(starts=True)
        return first

    @rule(job_id=made)
    def validate(self, job_id: str) -> None:
        self.do(jobs.accept_plan, job_id, "ftplan-1", now=self.now)

    @rule(seconds=st.integers(0, 300) | st.integers(0, START_WITHIN_S), claims=st.booleans())
    def let_time_pass(self, seconds: int, claims: bool) -> None:
        self.now += seconds
        if claims:
            self.claim(starts=True)

    @precondition(lambda self: self.clock_jumps)
    @rule(seconds=st.integers(1, DAY_S))
    def set_the_clock_back(self, seconds: int) -> None:
        self.now -= seconds
        self.set_back = True

    @rule(starts=st.booleans())
    def claim(self, starts: bool) -> None:
        before = self.running_job()
        validated = self.rows(JobRow.status == JobStatus.validating_files)
        due = [
            row.number
            for row in self.rows(JobRow.status == JobStatus.queued, JobRow.cancel_requested.is_(False))
            if row.start_at is None or row.start_at <= self.now
        ]
        claim = self.do(running_jobs.claim_next, worker=LOCAL, now=self.now)
        if claim is None:
            ahead = [row for row in validated if row.number < min(due, default=0)]
            held = any(row.created_at + PATIENCE_S > self.now for row in ahead)
            assert before is not None or self.do(machine_state.is_paused) or not due or held
            return
        assert before is None
        assert not self.do(machine_state.is_paused)
        assert claim.job.number == min(due)  # of those whose time has come, whoever came first
        assert claim.job.id not in self.cancelled
        self.fates.begin(claim)
        self.started_in.pop(claim.job.id, None)
        if starts:
            self.start(claim.job.id)

    def start(self, job_id: str) -> None:
        """Start a trainer, as the supervisor does."""
        self.do(running_jobs.spawning, job_id, boot=str(self.boot))
        self.started_in[job_id] = self.boot

    @precondition(lambda self: self.running_job() is not None)
    @rule(words=st.lists(TRAINER_SAYS, min_size=1, max_size=4))
    def trainer_says(self, words: list[str]) -> None:
        row = self.running_job()
        assert row is not None
        records = [self.record(word) for word in words]
        offset = row.tail_offset + len(records)
        if "checkpoint" in words:
            self.deaths[row.id] = 0
        self.do(
            running_jobs.take_events, row.id, records, offset=offset, folder=Path("/nowhere/job"),
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
    @rule(
        times=st.integers(1, ATTEMPTS + 1),
        further=RARELY,
        rebooted=RARELY,
        gone=st.sampled_from([*[TrainerExit.without] * 4, TrainerExit.stalled, TrainerExit.nonsense]),
    )
    def trainer_dies(self, times: int, further: bool, rebooted: bool, gone: TrainerExit) -> None:
        row = self.running_job()
        assert row is not None
        self.boot += rebooted
        if further:
            self.fates.get_further(row.id)
            self.deaths[row.id] = 0
        for _ in range(times):
            if self.leave(row.id, gone):
                return
            assert self.deaths.get(row.id, 0) < ATTEMPTS
            self.start(row.id)

    def leave(self, job_id: str, gone: TrainerExit = TrainerExit.without) -> bool:
        """Let the trainer be gone without a last word; say whether nothing more is to be started."""
        before = self.do(running_jobs.look, job_id)
        if before.pause_wish is None and self.started_in.get(job_id, self.boot) == self.boot:
            self.deaths[job_id] = self.deaths.get(job_id, 0) + 1
        settled = self.fates.settled(job_id, gone)
        assert settled == (self.running_job() is None)
        assert settled or not (before.cancel_requested or before.pause_wish)
        assert self.do(jobs.is_finished, job_id) or not before.cancel_requested
        return settled

    @precondition(lambda self: self.running_job() is not None)
    @rule(seconds=st.integers(0, 300), resumed=st.booleans())
    def pause_for_a_while(self, seconds: int, resumed: bool) -> None:
        row = self.running_job()
        assert row is not None
        self.pause(row.id)
        self.leave(row.id)
        self.now += seconds
        if resumed:
            self.resume(row.id)

    @precondition(lambda self: self.running_job() is not None)
    @rule()
    def gpu_is_lost(self) -> None:
        row = self.running_job()
        assert row is not None
        self.do(running_jobs.pause_without_gpu, row.id, message="The GPU is gone", now=self.now)
        assert self.do(machine_state.is_paused)

    @rule(job_id=made)
    def cancel(self, job_id: str) -> None:
        self.cancelled.add(job_id)
        self.attempt(jobs.request_cancel, job_id)

    @rule()
    def wind_up(self) -> None:
        for job_id in self.do(running_jobs.to_wind_up):
            self.fates.wind_up(job_id)

    @rule(job_id=made)
    def pause(self, job_id: str) -> None:
        self.attempt(jobs.request_pause, job_id)

    @rule(job_id=made)
    def resume(self, job_id: str) -> None:
        self.attempt(jobs.request_resume, job_id)

    @rule(paused=st.booleans())
    def pause_or_resume_machine(self, paused: bool) -> None:
        self.do(machine_state.pause if paused else machine_state.resume, now=self.now)

    @invariant()
    def promises_hold(self) -> None:
        self.do(self.promises.hold, set_back=self.set_back)


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
