"""`python -m agent` for tests of what starts and stops one: the fake agent, run as a process.

It leaves address and key where a real one does, and on SIGTERM how its jobs stood.
"""

import asyncio
import os
import signal
from pathlib import Path

from tests.fakes.agent_server import KEY, FakeAgent

ROOT = Path(__file__).parents[2]


def install(folder: Path) -> dict[str, str]:
    """Put it where `python -m agent` finds it first; return the environment for processes run in that folder."""
    (folder / "agent").mkdir()
    (folder / "agent" / "__init__.py").touch()
    (folder / "agent" / "__main__.py").write_text("from tests.bot.stand_in_agent import main\nmain()\n")
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HEARTH_DATA_DIR": str(folder / "data")}


def main() -> None:
    ended = asyncio.run(_serve(Path(os.environ["HEARTH_DATA_DIR"])))
    Path("agent-stopped").write_text(ended)


async def _serve(data: Path) -> str:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    agent = FakeAgent()
    agent.autoplay = "succeeded"
    agent.pace_s = float(os.environ.get("PACE_S", "0.002"))
    await agent.start()
    (data / "agent.key").write_text(KEY)
    (data / "agent.address").write_text(agent.url.removeprefix("http://"))
    await stop.wait()
    await agent.stop()
    return " ".join(job.status for job in agent.jobs.values())
