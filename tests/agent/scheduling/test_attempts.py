"""How often a job whose trainer dies is tried again."""

from agent.scheduling.attempts import AttemptProgress, next_attempt

START = AttemptProgress(stages=3, step=0)


def test_three_deaths_without_getting_further_are_the_end() -> None:
    assert next_attempt(attempt=1, at_last_death=None, now=START, rebooted=False) == 2
    assert next_attempt(attempt=2, at_last_death=START, now=START, rebooted=False) == 3
    assert next_attempt(attempt=3, at_last_death=START, now=START, rebooted=False) is None


def test_newer_checkpoint_or_a_finished_stage_gives_all_attempts_back() -> None:
    for further in (AttemptProgress(stages=3, step=50), AttemptProgress(stages=4, step=0)):
        assert next_attempt(attempt=3, at_last_death=START, now=further, rebooted=False) == 2


def test_machine_that_was_switched_off_costs_nothing() -> None:
    assert next_attempt(attempt=3, at_last_death=START, now=START, rebooted=True) == 3
