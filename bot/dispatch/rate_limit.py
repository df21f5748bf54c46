"""How much one person may ask at a time, so that they starve neither others nor a chat's budget of messages. Pure.

Everybody has a few calls to spend, which come back with time. Who spends the last is told so once, and then not
answered until a pause is over.
"""

import math
from dataclasses import dataclass
from enum import Enum

CALLS = 12  # at once; more than a person types, and less than what a Telegram group may be sent in a minute
REFILL_S = 5.0  # for one of them to come back
PAUSE_S = 30.0
REMEMBERED = 1000  # people; more than that are looked through for those who have been quiet


class Admission(Enum):
    """What is done with a call."""

    answer = "answer"
    refuse = "refuse"  # and say why
    ignore = "ignore"


@dataclass(kw_only=True)
class _Purse:
    calls: float
    at: float  # when it held so many
    paused_until: float = -math.inf


class RateLimit:
    """Everybody's calls of late. Times are seconds of a clock that only goes forward."""

    def __init__(self) -> None:
        self._purses: dict[tuple[str, str], _Purse] = {}

    def admit(self, platform: str, person: str, *, now: float) -> Admission:
        """Say what to do with one more call of a person."""
        if len(self._purses) > REMEMBERED:
            self._purses = {who: purse for who, purse in self._purses.items() if now - purse.at < CALLS * REFILL_S}
        purse = self._purses.setdefault((platform, person), _Purse(calls=CALLS, at=now))
        purse.calls = min(CALLS, purse.calls + (now - purse.at) / REFILL_S)
        purse.at = now
        if now < purse.paused_until:
            return Admission.ignore
        if purse.calls < 1:
            purse.paused_until = now + PAUSE_S
            return Admission.refuse
        purse.calls -= 1
        return Admission.answer
