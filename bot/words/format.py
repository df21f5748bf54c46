"""Figures, times and text made readable on a phone. Pure; unknown is a dash, never 0 or nan."""

import math
import re
from datetime import datetime

from bot.words.time_zone import zone_here
from shared.language import _, decimal, grouped, moment

TITLE_LENGTH = 40  # characters at most: what a phone shows in one line
DASH = "–"
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])")
_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff"
_TURNERS = "\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff"  # of the reading direction, or unseen
_UNSEEN = re.compile(f"[{_CONTROLS}{_TURNERS}]")
_UNSAFE_IN_NAME = re.compile(r'[\\/:*?"<>|\s]+')
_RESERVED_NAME = re.compile(r"(?i)^(con|prn|aux|nul|com\d|lpt\d)(\.|$)")


def plain(text: str) -> str:
    """Remove what could move a cursor, colour a screen or turn the reading direction. Keeps line breaks."""
    text = text.replace("\r\n", "\n").replace("\u2028", "\n").replace("\u2029", "\n").expandtabs(4)
    return _UNSEEN.sub("", _ANSI.sub("", text))


def one_line(text: str) -> str:
    """Return plain text without line breaks or runs of spaces."""
    return " ".join(plain(text).split())


def capital(text: str) -> str:
    """Return a text that begins large; the rest stays as it is."""
    return text[:1].upper() + text[1:]


def clip(text: str, length: int = TITLE_LENGTH) -> str:
    """Cut to a length, with … in place of what is missing."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def flow(text: str, *, first: str = "", rest: str | None = None) -> list[str]:
    """Return each paragraph as a line, which the client breaks where it must; `first` and `rest` begin the lines."""
    after = first if rest is None else rest
    found = [" ".join(line.split()) for line in plain(text).splitlines()]
    return [f"{after if number else first}{line}" for number, line in enumerate(line for line in found if line)]


def duration(seconds: float | None) -> str:
    """Return 45 s, 3 min, 2 h 5 min, 1 d 4 h."""
    if seconds is None or not math.isfinite(seconds) or seconds < 0:
        return DASH
    if seconds < 60:
        return _("{n} s", n=round(seconds))
    minutes = round(seconds / 60)
    if minutes < 60:
        return _("{n} min", n=minutes)
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return _("{h} h {min} min", h=hours, min=minutes) if minutes else _("{h} h", h=hours)
    days, hours = divmod(hours, 24)
    return _("{d} d {h} h", d=days, h=hours) if hours else _("{d} d", d=days)


def minutes_range(low: float, high: float) -> str:
    """Return an honest range: under 1 min, about 4 min, 3 to 5 min, 1 h 30 min to 2 h."""
    if high < 1:
        return _("under 1 min")
    first, last = duration(max(1, round(low)) * 60), duration(round(high) * 60)
    if first == last:
        return _("about {amount}", amount=last)
    low_ = first.removesuffix(_("{n} min", n="")) if high < 60 else first
    return _("{low} to {high}", low=low_, high=last)


def size(byte_count: float | None) -> str:
    """Return 812 B, 4.2 KiB, 138 MiB, 1.1 GiB."""
    if byte_count is None or not math.isfinite(byte_count) or byte_count < 0:
        return DASH
    amount = float(byte_count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if round(amount) < 1024 or unit == "GiB":
            break
        amount /= 1024
    return f"{decimal(amount, 0 if unit == 'B' or amount >= 10 else 1)} {unit}"


def mebibytes(mib: float | None) -> str:
    """Return a size that the agent gave in MiB."""
    return size(mib * 2**20) if mib is not None else DASH


def size_range(low_mib: float, high_mib: float) -> str:
    """Return 0.9 to 1.1 GiB, or one figure where both read the same."""
    low, high = mebibytes(low_mib), mebibytes(high_mib)
    if low == high:
        return _("about {amount}", amount=high)
    unit = high.split()[-1]
    return _("{low} to {high}", low=low.removesuffix(f" {unit}"), high=high)


def number(value: float | None, digits: int = 3) -> str:
    """Return a measured figure with fixed digits."""
    return decimal(value, digits) if value is not None and math.isfinite(value) else DASH


def short(value: float) -> str:
    """Return a figure without needless zeros and without powers of ten: 3, 2.5, 0.000001. As people type it."""
    return f"{value:.7f}".rstrip("0").rstrip(".")


def count(value: int | None) -> str:
    """Return 5,812."""
    return grouped(value) if value is not None else DASH


def weights(parameters: int) -> str:
    """Return 135 million, 7.2 billion."""
    if parameters >= 1e9:
        return _("{amount} billion", amount=decimal(parameters / 1e9, 1))
    return _("{amount} million", amount=decimal(parameters / 1e6, 0))


def percent(part: float, whole: float) -> str:
    """Return 43 %, rounded down so that 100 % means all."""
    return f"{math.floor(100 * part / whole)} %" if whole > 0 else DASH


def bar(part: float, whole: float, *, width: int = 12) -> str:
    """Return ▓▓▓░░. Empty only before it begins, full only at its end; twelve cells fit Discord on a phone."""
    filled = max(math.floor(width * min(max(part / whole, 0), 1)), int(part > 0)) if whole > 0 else 0
    return "▓" * filled + "░" * (width - filled)


def local(at: float) -> datetime | None:
    """Return a moment as the time in the zone that counts here; None for one that no calendar has."""
    try:
        return datetime.fromtimestamp(at, zone_here()).astimezone(zone_here())
    except (ValueError, OverflowError, OSError):
        return None


def clock_time(at: float, *, now: float | None = None, zone: bool = True) -> str:
    """Return 14:02 CET, the time here; with the day in front if not today, from a week on with the date and no zone."""
    then = local(at)
    if then is None:
        return _("in the far future") if at > 0 else _("in the far past")
    today = local(now) if now is not None else None
    days = abs((then.date() - (today or then).date()).days)
    time = moment(then, "HH:mm" if days == 0 else "EEE HH:mm" if days < 7 else "dd MMM HH:mm")
    return f"{time} {_zone(then)}" if zone and days < 7 else time


def _zone(then: datetime) -> str:
    """Return CET where the zone has such a name, else +05:30: whoever reads it may live in another."""
    name = then.tzname() or ""
    return name if name.isalpha() and len(name) <= 5 else then.isoformat()[-6:]


def clock_second(at: float) -> str:
    """Return 14:02:31 CET, the time here."""
    then = local(at)
    return f"{then:%H:%M:%S} {_zone(then)}" if then is not None else clock_time(at)


def split_message(text: str, limit: int) -> list[str]:
    """Split at line breaks, else at spaces, else anywhere, into parts of at most `limit` characters."""
    parts = []
    while len(text) > limit:
        cut = max(text.rfind("\n", 1, limit + 1), 0) or max(text.rfind(" ", 1, limit + 1), 0) or limit
        parts.append(text[:cut].rstrip())
        text = text[cut:].lstrip("\n") if text[cut] == "\n" else text[cut:].lstrip(" ")
    return [*parts, text]


def safe_file_name(name: str) -> str:
    """Return a name that is one plain file in one folder on any system, whatever was sent."""
    base = _UNSAFE_IN_NAME.sub("-", one_line(name).replace("\\", "/").rsplit("/", 1)[-1]).strip(".- ")
    if not base or _RESERVED_NAME.match(base):
        base = f"file-{base}".strip("-")
    stem, dot, ending = base.rpartition(".")
    return base if len(base) <= 100 else f"{stem[: 99 - len(ending[:20])]}{dot}{ending[:20]}" if dot else base[:100]
