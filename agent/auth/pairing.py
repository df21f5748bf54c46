"""The one-time code that makes a person the owner: kept in memory alone, few tries, thrown away after use."""

import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.language import _
from shared.people import RequestedBy

ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # no I, L, O, 0, 1: they look alike
LENGTH = 8  # 31 letters: 40 bits
WINDOW_S = 600.0
TRIES_EACH = 5  # wrong ones, of one person within the window
TRIES_OF_ALL = 20
ON_REQUEST_S = 900.0  # how long a code holds that an owner asked for


@dataclass(frozen=True, kw_only=True)
class Code:
    """A code, and until when it holds."""

    text: str  # ABCD-EFGH
    until: float | None  # by the clock; None: until it is used

    def __repr__(self) -> str:
        return "Code(…)"


class Pairing:
    """Holds the code. The clock only goes forward; its zero does not matter."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._code: Code | None = None
        self._wrong: deque[tuple[float, tuple[str, str]]] = deque()  # when, and who

    def renew(self, *, holds_s: float | None = None) -> str:
        """Make a new code in place of the old one and return it."""
        letters = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        until = None if holds_s is None else self._clock() + holds_s
        self._code = Code(text=f"{letters[:4]}-{letters[4:]}", until=until)
        return self._code.text

    def code(self) -> Code | None:
        """Return the code that holds now."""
        if self._code is not None and self._code.until is not None and self._clock() >= self._code.until:
            self._code = None
        return self._code

    def seconds_left(self) -> int | None:
        """Return how long the code still holds; None: until it is used, or there is none."""
        code = self.code()
        return None if code is None or code.until is None else round(code.until - self._clock())

    def take(self, given: str, who: RequestedBy) -> Code:
        """Use up the code and return it. Raise pairing_code_wrong, too_many_tries."""
        person = (who.platform, who.person)
        self._refuse_too_many(person)
        code = self.code()
        if code is None:
            raise AgentError(
                _(
                    "There is no pairing code now: it was used, or its time is over. Ask the owner of this "
                    "machine for another, or ask at the machine itself."
                ),
                code=ErrorCode.pairing_code_wrong,
            )
        if not secrets.compare_digest(_plain(given).encode(errors="replace"), _plain(code.text).encode()):
            self._wrong.append((self._clock(), person))
            raise AgentError(
                _(
                    "That is not the code. It has eight letters and digits, such as ABCD-EFGH, and stands "
                    "where the agent was started."
                ),
                code=ErrorCode.pairing_code_wrong,
            )
        self._code = None
        return code

    def give_back(self, code: Code) -> None:
        """Make a code valid again whose use could not be stored."""
        self._code = self._code or code

    def _refuse_too_many(self, person: tuple[str, str]) -> None:
        now = self._clock()
        while self._wrong and self._wrong[0][0] <= now - WINDOW_S:
            self._wrong.popleft()
        theirs = [tried for tried, who in self._wrong if who == person]
        everybodys = [tried for tried, _ in self._wrong]
        ends = [
            tries[-limit] + WINDOW_S
            for tries, limit in ((theirs, TRIES_EACH), (everybodys, TRIES_OF_ALL))
            if len(tries) >= limit
        ]
        if ends:
            minutes = max(1, -int(-(max(ends) - now) // 60))
            raise AgentError(
                _(
                    "Too many wrong codes. Try again in {minutes} min, with the code from where the agent was started.",
                    minutes=minutes,
                ),
                code=ErrorCode.too_many_tries,
            )


def _plain(code: str) -> str:
    """Return a code as people may type it: in any case, with or without its hyphen."""
    return "".join(char for char in code.upper() if char.isalnum())
