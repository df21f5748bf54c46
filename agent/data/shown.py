"""Make what is quoted from somebody's data fit to be shown: masked, and nothing in it unseen. Pure."""

import re

from agent.data.redact import redact
from agent.data.text_checks import UNSEEN

_UNFIT = re.compile(f"{UNSEEN.pattern}|[\ud800-\udfff]")


def shown(text: str) -> str:
    r"""Return `text` without personal data and secrets; what cannot be seen or written as its number: \u202e."""
    return _UNFIT.sub(lambda found: f"\\u{ord(found.group()):04x}", redact(text))
