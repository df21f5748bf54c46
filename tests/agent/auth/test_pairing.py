"""The pairing code: once, in few tries."""

import re

import pytest

from agent.auth.pairing import TRIES_EACH, TRIES_OF_ALL, WINDOW_S, Pairing
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.people import RequestedBy


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def person(name: str) -> RequestedBy:
    return RequestedBy(platform="telegram", person=name, chat="1")


def test_code_has_no_letters_that_look_alike_and_is_new_each_time() -> None:
    pairing = Pairing()
    codes = {pairing.renew() for _ in range(50)}
    assert len(codes) == 50
    assert all(re.fullmatch(r"[A-HJKMNP-Z2-9]{4}-[A-HJKMNP-Z2-9]{4}", code) for code in codes)
    assert codes.isdisjoint({repr(pairing), repr(pairing.code())})


def test_code_is_good_once_however_it_is_typed() -> None:
    pairing = Pairing()
    code = pairing.renew()
    pairing.take(f" {code.lower().replace('-', ' ')} ", person("mia"))
    assert pairing.code() is None
    with pytest.raises(AgentError, match="no pairing code now") as refused:
        pairing.take(code, person("mia"))
    assert refused.value.code is ErrorCode.pairing_code_wrong


def test_new_code_replaces_the_old_one() -> None:
    pairing = Pairing()
    old, new = pairing.renew(), pairing.renew()
    with pytest.raises(AgentError, match="not the code"):
        pairing.take(old, person("mia"))
    pairing.take(new, person("mia"))


def test_few_wrong_tries_of_one_person_are_taken_then_the_right_code_waits_too() -> None:
    clock = Clock()
    pairing = Pairing(clock)
    code = pairing.renew()
    for _ in range(TRIES_EACH):
        with pytest.raises(AgentError, match="not the code"):
            pairing.take("guess", person("eve"))
        clock.now += 60
    with pytest.raises(AgentError, match="Try again in 5 min") as refused:
        pairing.take(code, person("eve"))
    assert refused.value.code is ErrorCode.too_many_tries
    clock.now += WINDOW_S - 60 * TRIES_EACH
    pairing.take(code, person("eve"))


def test_many_people_guess_no_more_than_the_overall_limit() -> None:
    clock = Clock()
    pairing = Pairing(clock)
    code = pairing.renew()
    for number in range(TRIES_OF_ALL):
        with pytest.raises(AgentError, match="not the code"):
            pairing.take("guess", person(f"eve{number}"))
    with pytest.raises(AgentError, match="Try again in 10 min"):
        pairing.take(code, person("mia"))
    clock.now += WINDOW_S
    pairing.take(code, person("mia"))


def test_code_on_request_runs_out() -> None:
    clock = Clock()
    pairing = Pairing(clock)
    code = pairing.renew(holds_s=900)
    assert pairing.seconds_left() == 900
    clock.now += 900
    with pytest.raises(AgentError, match="its time is over"):
        pairing.take(code, person("mia"))


def test_code_taken_in_vain_holds_again() -> None:
    pairing = Pairing()
    code = pairing.renew()
    pairing.give_back(pairing.take(code, person("mia")))
    pairing.take(code, person("mia"))
