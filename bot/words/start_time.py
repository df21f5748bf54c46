"""When a job may start, as a person types it: 22:00, +2h, 2026-11-23T07:30. In the bot's own time zone. Pure."""

import re
from datetime import datetime, time, timedelta

from bot.errors import BadCallError
from bot.words.format import clip, clock_time, local, one_line
from shared.language import _

LATEST_DAYS = 366
UNITS_S = {"m": 60, "h": 3600, "d": 86_400}
_SPAN = re.compile(r"\+((?:\d{1,4}[mhd])+)", re.IGNORECASE)
_PART = re.compile(r"(\d+)([mhd])", re.IGNORECASE)
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})")
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
                "at:{value} is no time that I can read. It is as in at:22:00, at:+2h, at:2026-11-23T07:30 or at:now.",
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


def write_when(at: int) -> str:
    """Return a moment as it is typed: 2026-11-23T07:30."""
    then = local(at)
    return then.strftime("%Y-%m-%dT%H:%M") if then is not None else "now"  # such a time was never asked for


def _moment(value: str, *, now: float) -> float | None:
    try:
        if _SECONDS.fullmatch(value):
            return int(value)
        if span := _SPAN.fullmatch(value):
            return now + sum(int(amount) * UNITS_S[unit.lower()] for amount, unit in _PART.findall(span[1]))
        if clock := _CLOCK.fullmatch(value):
            return _next(time(int(clock[1]), int(clock[2])), now=now)
        return datetime.fromisoformat(value).timestamp()  # without a zone: ours
    except (ValueError, OverflowError, OSError):
        return None


def _next(clock: time, *, now: float) -> float:
    """Return when the clocks here show that time next. One that a change to summer time skips comes an hour later."""
    today = datetime.fromtimestamp(now).astimezone().date()
    days = (datetime.combine(today + timedelta(days=ahead), clock).timestamp() for ahead in range(3))
    return next(at for at in days if at > now)
