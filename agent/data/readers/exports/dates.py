"""Times as programs write them for people: day and month are told apart by all the dates of a file together. Pure."""

import datetime
import re
from collections.abc import Iterable

from agent.data.readers.chat_export import moment

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NUMBERS = re.compile(r"^\D{0,12}?(\d{1,4})[./\- ](\d{1,2}|[A-Za-z]{3,9})[./\- ](\d{1,4})")
DATE_CHARS = 80  # of a cell; a longer one begins with no date, or goes on with something else
_MONTH_FIRST = re.compile(r"([A-Za-z]{3})[a-z]*\.? (\d{1,2})(?:st|nd|rd|th)?, (\d{4})")
_TIME = re.compile(r"(\d{1,2})[:.h](\d{2})(?:[:.](\d{2}))?(?:\.\d+)?\s?([AaPp]\.?[Mm])?")
_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])(\d{2}):?(\d{2})$")


class Dates:
    """The dates of one file; the same figures mean the same in all of them."""

    def __init__(self, texts: Iterable[str]) -> None:
        found = [numbers for text in texts if (numbers := _NUMBERS.match(text))]
        second = [int(it[2]) for it in found if it[2].isdecimal()]
        first = [int(it[1]) for it in found]
        self._month_first = any(number > 12 for number in second) and not any(12 < number <= 31 for number in first)

    def moment(self, text: str) -> float | None:
        """Return a time as seconds since a fixed moment; None where it cannot be read."""
        if (exact := moment(text)) is not None:
            return exact
        day = self._day(text)
        if day is None:
            return None
        rest = text[day[1] :]
        time = _TIME.search(rest)
        hour, minute, second = (int(time[1]), int(time[2]), int(time[3] or 0)) if time else (0, 0, 0)
        half = (time[4] or "").lower()[:1] if time else ""
        hour = hour % 12 + 12 * (half == "p") if half else hour
        try:
            seconds = datetime.datetime(*day[0], hour, minute, second, tzinfo=datetime.UTC).timestamp()
        except ValueError:
            return None
        offset = _OFFSET.search(rest.strip())
        shift = (int(offset[2]) * 60 + int(offset[3])) * 60 if offset else 0
        return seconds + shift * (1 if offset and offset[1] == "-" else -1)

    def _day(self, text: str) -> tuple[tuple[int, int, int], int] | None:
        text = text[:DATE_CHARS]
        if named := _MONTH_FIRST.search(text):
            month = _month(named[1])
            return ((int(named[3]), month, int(named[2])), named.end()) if month else None
        found = _NUMBERS.match(text)
        if found is None:
            return None
        if not found[2].isdecimal():
            month = _month(found[2])
            return ((_year(int(found[3])), month, int(found[1])), found.end()) if month else None
        one, two, three = (int(found[place]) for place in (1, 2, 3))
        if one > 31:
            return (one, two, three), found.end()
        day, month = (two, one) if self._month_first else (one, two)
        return (_year(three), month, day), found.end()


def _month(name: str) -> int:
    return MONTHS.index(name[:3].lower()) + 1 if name[:3].lower() in MONTHS else 0


def _year(number: int) -> int:
    return number + 2000 if number < 100 else number
