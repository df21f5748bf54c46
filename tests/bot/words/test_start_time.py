from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from bot.errors import BadCallError
from bot.words.format import clock_second, clock_time
from bot.words.start_time import read_when
from bot.words.time_zone import in_zone
from tests.bot.harness import Bot
from tests.bot.time_zone import living_in
from tests.fakes.agent_server import FakeAgent

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(autouse=True)
def berlin() -> Iterator[None]:
    """Live in Berlin, where summer time begins on 2027-03-28 and ends on 2026-10-25."""
    with living_in("Europe/Berlin"):
        yield


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp())


@pytest.mark.parametrize(
    ("typed", "now", "starts"),
    [
        ("22:00", "2026-11-22T17:00", "2026-11-22T22:00"),
        ("22:00", "2026-11-22T22:00", "2026-11-23T22:00"),
        ("7:30", "2026-12-31T23:59", "2027-01-01T07:30"),
        ("+2h", "2026-11-22T17:00", "2026-11-22T19:00"),
        ("+1h30m", "2026-11-22T17:00", "2026-11-22T18:30"),
        ("in 90 minutes", "2026-11-22T17:00", "2026-11-22T18:30"),
        ("in 2 Stunden", "2026-11-22T17:00", "2026-11-22T19:00"),
        ("10 pm", "2026-11-22T17:00", "2026-11-22T22:00"),
        ("12 am", "2026-11-22T17:00", "2026-11-23T00:00"),
        ("22", "2026-11-22T17:00", "2026-11-22T22:00"),
        ("22 Uhr", "2026-11-22T17:00", "2026-11-22T22:00"),
        ("noon", "2026-11-22T17:00", "2026-11-23T12:00"),
        ("tonight", "2026-11-22T17:00", "2026-11-22T22:00"),
        ("tonight", "2026-11-22T23:10", "2026-11-22T23:11"),  # it is late already
        ("tonight at 9", "2026-11-22T17:00", "2026-11-22T21:00"),
        ("heute abend um 21:15", "2026-11-22T17:00", "2026-11-22T21:15"),
        ("tomorrow", "2026-11-22T17:00", "2026-11-23T08:00"),
        ("Tomorrow 7:30", "2026-11-22T17:00", "2026-11-23T07:30"),
        ("morgen früh", "2026-11-22T17:00", "2026-11-23T08:00"),
        ("today 18:00", "2026-11-22T17:00", "2026-11-22T18:00"),
        ("2026-11-23 07:30", "2026-11-22T17:00", "2026-11-23T07:30"),
        ("+1d2h30m", "2026-11-22T17:00", "2026-11-23T19:30"),
        ("+1d", "2026-11-22T17:00", "2026-11-23T17:00"),
        ("2026-11-23T07:30", "2026-11-22T17:00", "2026-11-23T07:30"),
        ("2026-11-23T06:30+00:00", "2026-11-22T17:00", "2026-11-23T07:30"),
        ("12:00", "2027-03-27T18:00", "2027-03-28T12:00"),  # the night between is an hour shorter
        ("12:00", "2026-10-24T18:00", "2026-10-25T12:00"),  # and here an hour longer
        ("02:30", "2027-03-27T18:00", "2027-03-28T03:30"),  # that time is skipped
        ("02:30", "2026-10-24T18:00", "2026-10-25T02:30"),  # it comes twice: the first
    ],
)
def test_a_time_is_the_next_one_that_the_clocks_here_show(typed: str, now: str, starts: str) -> None:
    assert read_when(typed, now=at(now)) == at(starts)


def test_now_is_no_time_to_wait_for() -> None:
    assert read_when("now", now=at("2026-11-22T17:00")) is None


def test_a_moment_from_our_own_button_is_taken_as_it_is() -> None:
    assert read_when("1790000000", now=1_790_000_500) == 1_790_000_000


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("2026-11-22T16:59", "is past: it is 17:00 CET now"),
        ("2029-01-01T00:00", "more than a year away"),
        ("25:00", "as 22:00"),
        ("some day", "as 22:00"),
        ("", "as 22:00"),
        ("+9999d", "more than a year away"),
        ("2026-02-30T10:00", "as 22:00"),
    ],
)
def test_a_time_that_cannot_be_is_refused_in_words(typed: str, said: str) -> None:
    with pytest.raises(BadCallError, match=said):
        read_when(typed, now=at("2026-11-22T17:00"))


@pytest.mark.parametrize("typed", ["999999999999", "99999999999"])
def test_seconds_beyond_a_year_are_refused_in_words(typed: str) -> None:
    with pytest.raises(BadCallError, match="more than a year away"):
        read_when(typed, now=1_790_000_000.0)


@pytest.mark.parametrize("at", [2**40, 2**70, -(2**70)])
def test_a_moment_that_no_calendar_has_is_a_word(at: int) -> None:
    words = "in the far future" if at > 0 else "in the far past"
    assert (clock_time(at, now=1_790_000_000.0), clock_second(at)) == (words, words)


async def test_a_job_with_such_a_start_is_shown_all_the_same(agent: FakeAgent, bot: Bot) -> None:
    agent.change(agent.add_job().id, start_at=2**40, estimated_start=2**40)
    for line in ("/status #1", "/queue", "/resume #1"):
        assert "in the far future" in " ".join((await bot.say(line)).text.split())


@pytest.mark.parametrize(
    ("typed", "starts"),
    [("22:00", "2026-11-22T14:00"), ("tomorrow 7:30", "2026-11-22T23:30"), ("2026-11-23T07:30", "2026-11-22T23:30")],
)
def test_a_time_is_read_in_the_zone_that_its_person_has_set(typed: str, starts: str) -> None:
    with in_zone("Asia/Tokyo"):  # eight hours ahead of Berlin's winter
        assert read_when(typed, now=at("2026-11-22T01:00")) == at(starts)


def test_a_zone_that_this_machine_does_not_know_counts_as_its_own() -> None:
    with in_zone("Mars/Olympus"):
        assert read_when("22:00", now=at("2026-11-22T17:00")) == at("2026-11-22T22:00")
