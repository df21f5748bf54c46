"""How a trainer does, from its heartbeats: well, slow, stalled or silent. Pure; whoever watches gives the time.

Ages are counted from the moment a change was seen, on a clock that only goes forward, so neither a wrong clock nor a
machine that slept can make a healthy trainer look dead.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.job_folder.folder import Heartbeat
from shared.jobs import PROOF_S, Stage, TrainerHealth


@dataclass(frozen=True, kw_only=True)
class Budget:
    """How long a stage may go without moving, in seconds."""

    slow_s: float  # then it is said
    stalled_s: float  # then it is started again


BUDGETS: Mapping[Stage | None, Budget] = {
    None: Budget(slow_s=300, stalled_s=1800),  # before the first stage: imports, on a disk that is busy
    Stage.fetch: Budget(slow_s=1800, stalled_s=6 * 3600),  # one large file moves nothing we can see
    Stage.prepare: Budget(slow_s=900, stalled_s=3600),
    Stage.load: Budget(slow_s=900, stalled_s=3600),
    Stage.train: Budget(slow_s=120, stalled_s=900),  # the least; a slow machine has more, by its typical step
    Stage.evaluate: Budget(slow_s=600, stalled_s=3600),
    Stage.export: Budget(slow_s=900, stalled_s=2 * 3600),
    Stage.verify: Budget(slow_s=900, stalled_s=3600),
}
FIRST_STEP = Budget(slow_s=600, stalled_s=3600)  # the first evaluation and the first batch, compilation included
SLOW_STEPS = 10  # typical steps without one: slow
STALLED_STEPS = 20  # and stalled (HyperPod's rule of thumb, see the anchors)
TYPICAL_OVER = 20  # steps


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The budgets, and how long a trainer may give no sign of life at all."""

    budgets: Mapping[Stage | None, Budget] = field(default_factory=lambda: BUDGETS)
    first_step: Budget = FIRST_STEP
    silent_s: float = PROOF_S  # then it is said
    frozen_s: float = 600.0  # then it is started again


@dataclass(frozen=True, kw_only=True)
class HealthSigns:
    """What was seen of a trainer, at one moment."""

    health: TrainerHealth
    proof_age_s: float  # since it last proved that it lives
    work_age_s: float  # since its work last moved
    typical_step_s: float | None
    hopeless: bool  # it will not go on by itself: start it again
    stage: Stage | None
    step: int


class HealthTracker:
    """Takes in heartbeats, and says how the trainer does."""

    def __init__(self, limits: Limits, *, now: float, proof_age_s: float = 0.0) -> None:
        """Begin at `now`; `proof_age_s`: how old the last proof was then, by what others say. It ends no trainer."""
        self._limits = limits
        self._proved_at = now - proof_age_s
        self._heartbeat: Heartbeat | None = None
        self._alive_at = self._worked_at = now
        self._steps: deque[tuple[float, int]] = deque(maxlen=TYPICAL_OVER)

    def note(self, heartbeat: Heartbeat | None, *, now: float) -> HealthSigns:
        """Take in the heartbeat as it is now."""
        before = self._heartbeat
        if heartbeat is not None and heartbeat != before:
            if before is not None and (heartbeat.pid != before.pid or heartbeat.step < before.step):
                before = None  # another life: it does some steps again
                self._steps.clear()
            if self._heartbeat is not None:  # a change was seen: the first look may find what a dead trainer left
                self._alive_at = self._proved_at = now
            if before is None or (heartbeat.progress_at, heartbeat.stage) != (before.progress_at, before.stage):
                self._worked_at = now
            if heartbeat.stage is Stage.train and (before is None or heartbeat.step > before.step):
                self._steps.append((now, heartbeat.step))
            self._heartbeat = heartbeat
        return self.signs(now=now)

    def signs(self, *, now: float) -> HealthSigns:
        """Say how it does, by what was seen so far."""
        proof_age_s, work_age_s = now - self._proved_at, now - self._worked_at
        budget = self._budget()
        if proof_age_s >= self._limits.silent_s:
            health = TrainerHealth.silent
        elif work_age_s >= budget.stalled_s:
            health = TrainerHealth.stalled
        else:
            health = TrainerHealth.slow if work_age_s >= budget.slow_s else TrainerHealth.well
        return HealthSigns(
            health=health,
            proof_age_s=proof_age_s,
            work_age_s=work_age_s,
            typical_step_s=self._typical_step_s(),
            hopeless=health is TrainerHealth.stalled or now - self._alive_at >= self._limits.frozen_s,
            stage=self._heartbeat.stage if self._heartbeat else None,
            step=self._heartbeat.step if self._heartbeat else 0,
        )

    def _budget(self) -> Budget:
        stage = self._heartbeat.stage if self._heartbeat else None
        budget = self._limits.budgets[stage]
        if stage is not Stage.train:
            return budget
        step_s = self._typical_step_s()
        if step_s is None:
            return self._limits.first_step
        return Budget(
            slow_s=max(budget.slow_s, SLOW_STEPS * step_s), stalled_s=max(budget.stalled_s, STALLED_STEPS * step_s)
        )

    def _typical_step_s(self) -> float | None:
        if len(self._steps) < 2:
            return None
        (first, low), (last, high) = self._steps[0], self._steps[-1]
        return (last - first) / (high - low)
