"""The keys that the agent leaves in files for programs of its own machine: made on the first start, mode 0600."""

from pathlib import Path

from agent.auth.keys import new_secret
from agent.job_folder.durable import replace_file


def read_or_create_key(path: Path) -> str:
    """Return the key in `path`; make it if there is none. The data folder is locked: no one else does."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace_file(path, f"{new_secret()}\n".encode())  # its temporary file is 0600 already
    key = path.read_text(encoding="ascii").strip()
    if not key:
        raise ValueError(f"{path} is empty. Delete it, and the next start makes a new key.")
    return key
