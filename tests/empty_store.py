"""The agent's database as an agent leaves it that has had no jobs yet: where no test is of how it is made."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from agent.store import Store
from agent.store.store import DATABASE


@cache
def empty_store() -> bytes:
    """Return the file, made once in each worker: to make it takes as long as most tests that use it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / DATABASE
        with ThreadPoolExecutor(1) as thread:  # there may be a loop here already
            thread.submit(asyncio.run, _make(path)).result()
        return path.read_bytes()


async def _make(path: Path) -> None:
    await (await Store.open(path)).close()


def put_empty_store(data_dir: Path) -> None:
    """Lay it into a data folder that has none."""
    path = data_dir / DATABASE
    if not path.exists():
        path.write_bytes(empty_store())
