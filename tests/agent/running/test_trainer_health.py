"""Slow, stalled and silent are told apart by the two heartbeat fields and the stage."""

from agent.job_folder.folder import Heartbeat
from agent.running.trainer_health import BUDGETS, FIRST_STEP, SLOW_STEPS, STALLED_STEPS, HealthTracker, Limits
from shared.jobs import PROOF_S, Stage, TrainerHealth


def beat(stage: Stage, *, step: int = 0, alive_at: float = 0, progress_at: float = 0) -> Heartbeat:
    return Heartbeat(stage=stage, step=step, pid=1, alive_at=alive_at, progress_at=progress_at)


def trained(*, step_s: float) -> HealthTracker:
    """Return the vitals of a trainer that has done three steps, the last at 3 × step_s."""
    vitals = HealthTracker(Limits(), now=0)
    for step in (1, 2, 3):
        at = step * step_s
        vitals.note(beat(Stage.train, step=step, alive_at=at, progress_at=at), now=at)
    return vitals


def alive_until(vitals: HealthTracker, began: float, end: float) -> TrainerHealth:
    """Let the thread beat every ten seconds, while the work stands still; return how that is judged at the end."""
    now = began
    while now < end:
        now = min(now + 10, end)
        signs = vitals.note(beat(Stage.train, step=3, alive_at=now, progress_at=began), now=now)
    return signs.health


def test_trainer_that_beats_and_moves_is_well() -> None:
    assert trained(step_s=4).signs(now=12).health is TrainerHealth.well
    assert trained(step_s=4).signs(now=12).typical_step_s == 4


def test_trainer_that_beats_and_stands_still_is_slow_then_stalled() -> None:
    least = BUDGETS[Stage.train]
    assert alive_until(trained(step_s=1), 3, 3 + least.slow_s - 1) is TrainerHealth.well
    assert alive_until(trained(step_s=1), 3, 3 + least.slow_s) is TrainerHealth.slow
    assert alive_until(trained(step_s=1), 3, 3 + least.stalled_s) is TrainerHealth.stalled


def test_slow_machine_has_as_much_more_time_as_its_steps_take() -> None:
    assert alive_until(trained(step_s=100), 300, 300 + 100 * SLOW_STEPS - 1) is TrainerHealth.well
    assert alive_until(trained(step_s=100), 300, 300 + 100 * SLOW_STEPS) is TrainerHealth.slow
    assert alive_until(trained(step_s=100), 300, 300 + 100 * STALLED_STEPS) is TrainerHealth.stalled


def test_first_step_and_other_stages_have_budgets_of_their_own() -> None:
    vitals = HealthTracker(Limits(), now=0)
    vitals.note(beat(Stage.train, progress_at=1), now=1)
    assert vitals.note(beat(Stage.train, alive_at=500, progress_at=1), now=500).health is TrainerHealth.well
    late = 1 + FIRST_STEP.slow_s
    assert vitals.note(beat(Stage.train, alive_at=late, progress_at=1), now=late).health is TrainerHealth.slow
    vitals = HealthTracker(Limits(), now=0)
    vitals.note(beat(Stage.export, progress_at=1), now=1)
    assert vitals.note(beat(Stage.export, alive_at=800, progress_at=1), now=800).health is TrainerHealth.well


def test_trainer_without_a_beat_is_silent_after_two_minutes_and_given_up_after_ten() -> None:
    vitals = trained(step_s=1)
    assert vitals.signs(now=3 + PROOF_S - 1).health is TrainerHealth.well
    silent = vitals.signs(now=3 + PROOF_S)
    assert (silent.health, silent.hopeless) == (TrainerHealth.silent, False)
    assert vitals.signs(now=3 + 600).hopeless


def test_wrong_clock_of_the_trainer_proves_nothing_either_way() -> None:
    vitals = HealthTracker(Limits(), now=0)
    vitals.note(beat(Stage.train, step=1, alive_at=9e9, progress_at=9e9), now=1)
    again = vitals.note(beat(Stage.train, step=2, alive_at=-9e9, progress_at=-9e9), now=5)
    assert (again.health, again.proof_age_s, again.work_age_s) == (TrainerHealth.well, 0, 0)


def test_second_life_that_does_steps_again_is_measured_anew() -> None:
    vitals = HealthTracker(Limits(), now=0)
    vitals.note(beat(Stage.train, step=38, alive_at=1, progress_at=1), now=1)  # what the first life left
    for step, at in ((36, 10), (37, 12), (38, 14)):
        heartbeat = beat(Stage.train, step=step, alive_at=at, progress_at=at).model_copy(update={"pid": 2})
        assert (vitals.note(heartbeat, now=at).typical_step_s or 1) > 0
    assert vitals.signs(now=14).typical_step_s == 2
