"""The language that a person is spoken to in: texts, plurals, figures and times.

English stands in the source; `languages/` has one catalogue for each other language, for both sides of the wire. Who is
spoken to is known where a call or request comes in: `speaking` says so once for all that is done in its block.
"""

import functools
import gettext
import io
import math
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from importlib.resources import files

from babel.dates import format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

ENGLISH = "en"
LANGUAGES = (ENGLISH, "de")  # all but the first have a catalogue
CATALOGUES = files("shared") / "languages"
MORE_DIGITS = 3  # at most, for two figures to be told apart


def best(locale: str | None) -> str:
    """Return the language for a locale as platforms, systems and browsers write it: de, de_AT.UTF-8, de-AT,en."""
    code = re.split(r"[-_.@,;]", locale or "")[0].strip().lower()
    return code if code in LANGUAGES else ENGLISH


CHILD = "HEARTH_LANGUAGE"  # the environment variable by which a child hears what its parent speaks
_inherited = best(os.environ.get(CHILD))
_spoken: ContextVar[str] = ContextVar("spoken")


def locale_here() -> str | None:
    """Return the locale of whoever started this process, by the variables that gettext asks."""
    return next(filter(None, map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), None)


@contextmanager
def speaking(locale: str | None) -> Iterator[None]:
    """Speak the language of a locale to whoever hears of what is done in the block, and in the tasks it starts."""
    token = _spoken.set(best(locale))
    try:
        yield
    finally:
        _spoken.reset(token)


def spoken() -> str:
    """Return the language that is spoken here and now, as de."""
    return _spoken.get(_inherited)


def _(text: str, **values: object) -> str:
    """Return a text in the language spoken, its `{names}` filled in. Write the text itself there, never a variable."""
    return _filled(_catalogue(spoken()).gettext(text), values)


def ngettext(one: str, many: str, n: int, **values: object) -> str:
    """Return one of two texts by a number, which is `{n}` in them."""
    return _filled(_catalogue(spoken()).ngettext(one, many, n), {"n": grouped(n), **values})


def N_(text: str) -> str:  # noqa: N802 -- the name by which gettext's tools find it
    """Mark a text that is kept in a table, for the catalogue. Whoever shows it translates it with `_`."""
    return text


def decimal(value: float, digits: int) -> str:
    """Return a figure with fixed digits: 2.50, or 2,50. What is no number is a dash."""
    if not math.isfinite(value):
        return "–"
    zeros = "." + "0" * digits if digits else ""
    return format_decimal(value, format=f"0{zeros}", locale=spoken())


def apart(first: float, second: float, digits: int) -> tuple[str, str]:
    """Return two figures that a sentence compares, with as many digits more as show that they are not the same."""
    told = decimal(first, digits), decimal(second, digits)
    for more in range(1, MORE_DIGITS + 1):
        if told[0] != told[1] or first == second:
            break
        told = decimal(first, digits + more), decimal(second, digits + more)
    return told


def grouped(value: int) -> str:
    """Return 5,812, or 5.812."""
    return format_decimal(value, format="#,##0", locale=spoken())


def moment(at: datetime, pattern: str) -> str:
    """Return a time by a CLDR pattern (HH:mm, EEE HH:mm), with the names of its days and months."""
    return format_datetime(at, pattern, tzinfo=at.tzinfo, locale=spoken())


def _filled(text: str, values: dict[str, object]) -> str:
    return text.format(**values) if values else text


@functools.cache
def _catalogue(language: str) -> gettext.NullTranslations:
    """Read a language's catalogue when it is first needed. English needs none."""
    if language == ENGLISH:
        return gettext.NullTranslations()
    compiled = io.BytesIO()
    with (CATALOGUES / f"{language}.po").open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
