"""Make what is quoted from somebody's data fit to be shown: masked, and nothing in it unseen. Pure."""

import re
from typing import Any

from agent.data.redact import redact

# Control, zero-width, and what turns the reading direction; not the joiners that Persian, Hindi and emoji need.
UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
SURROGATE = re.compile("[\ud800-\udfff]")  # half of a pair: no text, and nothing that can be written as UTF-8
_UNFIT = re.compile(f"{UNSEEN.pattern}|{SURROGATE.pattern}")


def shown(text: str) -> str:
    r"""Return `text` without personal data and secrets; what cannot be seen or written as its number: \u202e."""
    return _UNFIT.sub(lambda found: f"\\u{ord(found.group()):04x}", redact(text))


def named_keys(row: dict[str, Any]) -> str:
    """Return the first keys of a row, cut."""
    return ", ".join(str(key)[:40] for key in list(row)[:8])
