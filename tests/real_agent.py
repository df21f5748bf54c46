"""`python -m agent` as it starts on a fresh machine, and the pairing code that it shows."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.agent_api.transport import Address
from bot.settings import local_address


@asynccontextmanager
async def real_agent(data_dir: Path, **more: str) -> AsyncIterator[tuple[Address, str]]:
    """Run an agent until the end of the block; yield its address, and the code that it shows."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH", "HEARTH_THREADS") if name in os.environ}
    with (data_dir.parent / "agent.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "agent", stdout=-1, stderr=log, cwd=data_dir.parent,
            env={**kept, "HEARTH_DATA_DIR": str(data_dir), "HEARTH_BIND": "127.0.0.1:0",
                 "OLLAMA_HOST": "127.0.0.1:1", **more},
        )  # fmt: skip
    try:
        assert process.stdout is not None
        async with asyncio.timeout(30):
            line = (await process.stdout.readline()).decode()
            while not (data_dir / "agent.address").exists():  # noqa: ASYNC110 -- another process makes it
                await asyncio.sleep(0.02)
        found = re.search(r"/pair (\S+)", line)
        assert found is not None, line
        yield local_address(data_dir, owner=True), found[1]
    finally:
        process.terminate()
        await process.communicate()
