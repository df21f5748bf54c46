"""When a job may start, as a person types it: 22:00, 10 pm, in 2 hours, tomorrow 7:30. Pure.

Read in the time zone that counts here.
"""

import re
from datetime import date, datetime, time, timedelta

from bot.errors import BadCallError
from bot.words.format import clip, clock_time, one_line
from bot.words.time_zone import in_this_zone, zone_here
from shared.language import _

LATEST_DAYS = 366
UNITS_S = {"m": 60, "h": 3600, "d": 86_400}
LATE, EARLY = time(22), time(8)  # what an evening and a morning mean that are named without a time
NOON, MIDNIGHT = ("noon", "mittags"), ("midnight", "mitternacht")
# minutes, hours and days in English and German; the first letter tells which
_UNIT = r"(?:m|mins?|minutes?|minuten?|h|hrs?|hours?|std|stunden?|d|days?|tag|tage|tagen)"
_PART = re.compile(rf"(\d{{1,4}}) ?({_UNIT})(?![a-z]) ?")
_SPAN = re.compile(rf"(?:\+|in ) ?(?:{_PART.pattern})+")
_CLOCK = re.compile(r"(\d{1,2})(?:[:.](\d{2}))? ?(am|pm|a\.m\.|p\.m\.|uhr|h)?")
_EVENING = re.compile(r"this evening|heute abend|heute nacht|tonight")
_TOMORROW = re.compile(r"tomorrow morning|tomorrow|morgen früh|morgen")
_DAY = re.compile(rf"({_EVENING.pattern}|today|heute|{_TOMORROW.pattern}|)(?:^| |$)(?:(?:at|um) )?(.*)")
_SECONDS = re.compile(r"\d{9,12}")  # since 1970, as our own buttons say it


def read_when(value: str, *, now: float) -> int | None:
    """Return seconds since 1970, None for `now`; raise BadCallError for a moment that is past or cannot be read."""
    if value.lower() == "now":
        return None
    if _SECONDS.fullmatch(value) and int(value) <= now:
        return int(value)  # past by the time the button is pressed: it starts at once
    at = _moment(value, now=now)
    if at is None:
        raise BadCallError(
            _(
                "at:{value} is no time that I can read. Write it as 22:00, tomorrow 7:30, in 2 hours, "
                "2026-11-23T07:30 or now.",
                value=clip(one_line(value), 20),
            ),
            param="at",
        )
    if at <= now:
        raise BadCallError(
            _("at:{value} is past: it is {time} now.", value=one_line(value), time=clock_time(now)),
            param="at",
        )
    if at > now + LATEST_DAYS * UNITS_S["d"]:
        raise BadCallError(_("at:{value} is more than a year away.", value=one_line(value)), param="at")
    return int(at)


def is_time(text: str) -> bool:
    """Say whether a text reads as a time, past or to come."""
    return text.lower() == "now" or _moment(text, now=0.0) is not None


def _moment(value: str, *, now: float) -> float | None:
    said = " ".join(value.lower().split())
    try:
        if _SECONDS.fullmatch(said):
            return int(said)
        if _SPAN.fullmatch(said):
            return now + sum(int(amount) * _unit_s(unit) for amount, unit in _PART.findall(said))
        named = _DAY.fullmatch(said)
        if named is not None and (clock := _clock(named[1], named[2])) is not None:
            return _on(named[1], clock, now=now)
        return in_this_zone(datetime.fromisoformat(value)).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _unit_s(unit: str) -> int:
    return UNITS_S["h" if unit.startswith("s") else "d" if unit.startswith("t") else unit[0]]


def _clock(day: str, said: str) -> time | None:
    """Return the time of day that was said, or what the day means without one; None for what is no time."""
    if not said:
        return LATE if _EVENING.fullmatch(day) else EARLY if _TOMORROW.fullmatch(day) else None
    if said in NOON or said in MIDNIGHT:
        return time(12 if said in NOON else 0)
    found = _CLOCK.fullmatch(said)
    if found is None:
        return None
    hour, half = int(found[1]), (found[3] or "").replace(".", "")
    if half in ("am", "pm"):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "pm" else 0)
    elif _EVENING.fullmatch(day) and hour < 12 and found[3] is None:
        hour += 12  # "tonight at 9"
    return time(hour, int(found[2] or 0))


def _on(day: str, clock: time, *, now: float) -> float:
    """Return when the clocks here show that time on that day, or next. One that summer time skips comes an hour later.

    A time of this evening that is past already is a minute from now: it is meant as soon as that.
    """
    today = datetime.fromtimestamp(now, zone_here()).date()
    if not day:
        days = (_timestamp(today + timedelta(days=later), clock) for later in range(3))
        return next(at for at in days if at > now)
    ahead = 1 if _TOMORROW.fullmatch(day) else 0
    at = _timestamp(today + timedelta(days=ahead), clock)
    return max(at, now + UNITS_S["m"]) if _EVENING.fullmatch(day) and clock == LATE else at


def _timestamp(day: date, clock: time) -> float:
    return in_this_zone(datetime.combine(day, clock)).timestamp()
