"""A time zone as a person types it, a city or an offset, and as they read it."""

import difflib
import functools
import re
from zoneinfo import available_timezones

from babel.dates import get_timezone_location

from bot.errors import BadCallError
from bot.words.format import clip, one_line
from bot.words.time_zone import zone_called
from shared.language import LANGUAGES, _, spoken

AREAS = frozenset(
    ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
)
MACHINE = ("auto", "machine", "automatisch", "maschine")  # what is typed for this machine's own
FURTHEST_H = 14  # from UTC that any clock is
_OFFSET = re.compile(r"(?:utc|gmt)? ?([+\-−]) ?(\d{1,2})(?::?([0-5]\d))?")


def read_zone(said: str) -> str:
    """Return the name that a zone is kept under, empty for this machine's; raise BadCallError for what is none."""
    words = " ".join(said.split()).lower()
    if words in MACHINE:
        return ""
    found = _OFFSET.fullmatch(words)
    if found is not None and int(found[2]) * 60 + int(found[3] or 0) <= FURTHEST_H * 60:
        return f"{'+' if found[1] == '+' else '-'}{int(found[2]):02}:{found[3] or '00'}"
    known = _known_names()
    name = known.get(words.replace("_", " "))
    if name is not None and zone_called(name) is not None:
        return name
    near = difflib.get_close_matches(words.replace("_", " "), known, n=1, cutoff=0.6)
    hint = _("Did you mean {zone}?", zone=known[near[0]]) if near else _("Name a larger city near you, or write +2.")
    raise BadCallError(_("I know no time zone {name}. {hint}", name=clip(one_line(said), 30), hint=hint), param="zone")


def zone_name(name: str) -> str:
    """Return a kept zone as a person reads it: Berlin, UTC+02:00."""
    if name.startswith(("+", "-")):
        return f"UTC{name}"
    area = name.partition("/")[0]
    return get_timezone_location(name, locale=spoken(), return_city=True) if area in AREAS else name


@functools.cache
def _known_names() -> dict[str, str]:
    """Return every zone by what is typed for it, in small letters: its name, its city, its city in each language."""
    zones = sorted(name for name in available_timezones() if not name.startswith(("posix/", "right/")))
    known = {name.lower().replace("_", " "): name for name in zones}
    cities = [name for name in zones if name.partition("/")[0] in AREAS]
    for name in cities:
        known.setdefault(name.rpartition("/")[2].lower().replace("_", " "), name)
        for language in LANGUAGES:
            known.setdefault(get_timezone_location(name, locale=language, return_city=True).lower(), name)
    return known
