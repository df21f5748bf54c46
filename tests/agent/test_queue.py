"""Whose job runs next."""

from agent.queue import Place, Waiting, next_job, places


def job(number: int, *, queued_at: float, minutes: float = 10) -> Waiting:
    return Waiting(job_id=f"job-{number}", number=number, queued_at=queued_at, minutes=minutes)


def test_nobody_waits_nobody_runs() -> None:
    assert next_job([]) is None
    assert places([], busy_minutes=5) == []


def test_first_come_is_first_served() -> None:
    early, late = job(2, queued_at=1), job(1, queued_at=2)
    assert next_job([late, early]) == early


def test_jobs_queued_at_the_same_instant_go_by_number() -> None:
    first, second = job(1, queued_at=1), job(2, queued_at=1)
    assert next_job([second, first]) == first


def test_wait_is_the_sum_of_what_is_ahead() -> None:
    waiting = [job(1, queued_at=1, minutes=10), job(2, queued_at=2, minutes=20), job(3, queued_at=3)]
    assert places(waiting, busy_minutes=4) == [
        Place(job_id="job-1", position=1, wait_minutes=4),
        Place(job_id="job-2", position=2, wait_minutes=14),
        Place(job_id="job-3", position=3, wait_minutes=34),
    ]
