"""The bearer key: made on the first start, readable by its owner alone, compared in constant time."""

import hmac
import secrets
from pathlib import Path

from agent.job_folder import replace_file


def read_or_create_key(path: Path) -> str:
    """Return the key in `path`; make it, mode 0600, if there is none. The data folder is locked: no one else does."""
    if not path.exists():
        replace_file(path, f"hearth-{secrets.token_urlsafe(32)}\n".encode())  # its temporary file is 0600 already
    key = path.read_text(encoding="ascii").strip()
    if not key:
        raise ValueError(f"{path} is empty. Delete it, and the next start makes a new key.")
    return key


def key_matches(given: str, key: str) -> bool:
    """Compare without telling by the time it takes how much of it was right."""
    return hmac.compare_digest(given.encode(errors="surrogateescape"), key.encode())
