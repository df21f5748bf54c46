"""How much one person may ask at a time."""

from bot.dispatch.rate_limit import CALLS, PAUSE_S, REFILL_S, REMEMBERED, Admission, RateLimit
from tests.bot.harness import Bot
from tests.fakes.agent_server import FakeAgent

YES, NO, SILENT = Admission.answer, Admission.refuse, Admission.ignore


def test_two_hundred_calls_in_a_minute_are_answered_a_few_times_and_refused_twice() -> None:
    bursts = RateLimit()
    said = [bursts.admit("p", "mia", now=1000 + n * 0.3) for n in range(200)]
    assert said[:CALLS] == [YES] * CALLS
    assert said.count(NO) == 2
    assert said.count(YES) <= 2 * CALLS


def test_a_burst_of_one_leaves_others_alone() -> None:
    bursts = RateLimit()
    for _ in range(200):
        bursts.admit("p", "mia", now=1000)
    assert bursts.admit("p", "ada", now=1000) is YES
    assert bursts.admit("q", "mia", now=1000) is YES


def test_after_the_pause_one_is_answered_again() -> None:
    bursts = RateLimit()
    said = [bursts.admit("p", "mia", now=1000) for _ in range(CALLS + 2)]
    assert said[CALLS:] == [NO, SILENT]
    assert bursts.admit("p", "mia", now=1000 + PAUSE_S - 0.1) is SILENT
    assert bursts.admit("p", "mia", now=1000 + PAUSE_S) is YES


def test_a_person_who_types_is_never_refused() -> None:
    bursts = RateLimit()
    assert all(bursts.admit("p", "mia", now=1000 + n * REFILL_S) is YES for n in range(500))


def test_people_who_have_been_quiet_are_forgotten() -> None:
    bursts = RateLimit()
    for number in range(REMEMBERED + 1):
        bursts.admit("p", str(number), now=1000)
    bursts.admit("p", "new", now=1000 + CALLS * REFILL_S)
    assert len(bursts._purses) == 1


async def test_a_burst_gets_one_notice_and_cancel_and_pause_always_pass(agent: FakeAgent, bot: Bot) -> None:
    for _ in range(200):
        await bot.say("/jobs")
    assert len(bot.chat.messages) == CALLS + 1
    assert "That was a lot at once" in bot.chat.last.text
    assert len(agent.asked) < 20
    assert "no job yet" in (await bot.say("/cancel")).text
    assert "Pausing the machine" in (await bot.say("/pause")).text
    assert agent.paused


async def test_a_flood_of_stops_is_answered_as_rarely_as_any_other(bot: Bot) -> None:
    for _ in range(200):
        await bot.say("/cancel")
    assert len(bot.chat.messages) == CALLS + 1
    assert "That was a lot at once" in bot.chat.last.text
    assert "Free" in (await bot.say("/gpu")).text


async def test_what_is_ignored_is_not_kept_either(agent: FakeAgent, bot: Bot) -> None:
    for _ in range(CALLS + 1):
        await bot.say("/jobs")
    await bot.say("/finetune sample")
    assert not bot.core.requests.unanswered()
    assert not agent.files


async def test_the_terminal_may_ask_as_much_as_it_likes(bot: Bot) -> None:
    for _ in range(50):
        await bot.say("/jobs", platform="terminal")
    assert len(bot.chat.messages) == 50
