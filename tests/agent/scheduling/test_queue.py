"""Whose job runs next."""

from agent.scheduling.queue import PATIENCE_S, Place, Validating, Waiting, held_s, next_job, place_of_new, places


def job(number: int, *, minutes: float = 10, start_at: float | None = None) -> Waiting:
    return Waiting(job_id=f"job-{number}", number=number, minutes=minutes, start_at=start_at)


def test_nobody_waits_nobody_runs() -> None:
    assert next_job([], validating=[Validating(number=1, since=0)], now=0) is None
    assert held_s([], validating=[Validating(number=1, since=0)], now=0) is None
    assert places([], busy_minutes=[5], now=0) == []


def test_first_created_is_first_run() -> None:
    first, second = job(1), job(2)
    assert next_job([second, first], validating=[], now=0) == first


def test_job_still_validated_is_not_overtaken_by_a_later_one() -> None:
    earlier = [Validating(number=1, since=100)]
    assert next_job([job(2)], validating=earlier, now=105) is None
    assert held_s([job(2)], validating=earlier, now=105) == PATIENCE_S - 5


def test_job_validated_for_more_than_thirty_seconds_is_overtaken() -> None:
    earlier = [Validating(number=1, since=100)]
    assert next_job([job(2)], validating=earlier, now=130) == job(2)
    assert held_s([job(2)], validating=earlier, now=130) is None


def test_job_validated_behind_the_first_in_line_holds_nobody() -> None:
    later = [Validating(number=2, since=100)]
    assert next_job([job(1), job(3)], validating=later, now=101) == job(1)


def test_wait_is_the_sum_of_what_is_ahead() -> None:
    waiting = [job(3), job(1, minutes=10), job(2, minutes=20)]
    assert places(waiting, busy_minutes=[4], now=0) == [
        Place(job_id="job-1", position=1, wait_minutes=4),
        Place(job_id="job-2", position=2, wait_minutes=14),
        Place(job_id="job-3", position=3, wait_minutes=34),
    ]


def test_two_workers_take_turns_as_each_gets_free() -> None:
    waiting = [job(1, minutes=10), job(2, minutes=20), job(3)]
    assert places(waiting, busy_minutes=[4, 30], now=0) == [
        Place(job_id="job-1", position=1, wait_minutes=4),
        Place(job_id="job-2", position=2, wait_minutes=14),
        Place(job_id="job-3", position=3, wait_minutes=30),
    ]
    assert place_of_new(waiting, busy_minutes=[0, 30], now=0).wait_minutes == 30


def test_job_whose_time_has_not_come_lets_later_ones_go_first() -> None:
    later = job(1, start_at=1000)
    assert next_job([later, job(2)], validating=[], now=100) == job(2)
    assert next_job([later], validating=[], now=100) is None
    assert held_s([later], validating=[], now=100) == 900
    assert next_job([later, job(2)], validating=[], now=1000) == later


def test_wait_reaches_to_the_time_that_was_asked_for() -> None:
    assert places([job(1, start_at=6000), job(2)], busy_minutes=[4], now=0) == [
        Place(job_id="job-2", position=1, wait_minutes=4),
        Place(job_id="job-1", position=2, wait_minutes=100),
    ]


def test_job_whose_time_comes_meanwhile_goes_before_later_ones() -> None:
    assert places([job(1, start_at=60), job(2), job(3)], busy_minutes=[0], now=0) == [
        Place(job_id="job-2", position=1, wait_minutes=0),
        Place(job_id="job-1", position=2, wait_minutes=10),
        Place(job_id="job-3", position=3, wait_minutes=20),
    ]


def test_new_job_stands_before_one_that_waits_for_its_time() -> None:
    tonight = job(1, start_at=36_000)
    assert place_of_new([tonight], busy_minutes=[0], now=0) == Place(job_id="", position=1, wait_minutes=0)
    assert place_of_new([tonight, job(2)], busy_minutes=[4], now=0) == Place(job_id="", position=2, wait_minutes=14)
    assert place_of_new([], busy_minutes=[4], now=0) == Place(job_id="", position=1, wait_minutes=4)


def test_clock_that_is_set_back_holds_nobody_for_longer() -> None:
    assert held_s([job(2)], validating=[Validating(number=1, since=100_000)], now=100) == PATIENCE_S
