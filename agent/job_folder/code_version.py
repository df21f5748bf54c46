"""Which code a process runs: by that an agent sees whether a trainer that it finds was started before an update."""

import hashlib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("agent", "shared")  # what a trainer is made of


@cache
def code_version() -> str:
    """Return 16 hex digits of the modules as they were when this process first asked."""
    return code_on_disk()


def code_on_disk() -> str:
    """Return those digits of the modules as they are now."""
    digest = hashlib.sha256()
    for path in sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
