"""New ids: a prefix that says what it names, and 24 hex digits nobody can guess."""

import secrets
from typing import Literal

Prefix = Literal["ftjob", "ftplan", "file", "insp", "chatcmpl"]


def new_id(prefix: Prefix) -> str:
    """Return an id like ftjob-0123456789abcdef01234567."""
    return f"{prefix}-{secrets.token_hex(12)}"
