"""`python -m agent` for tests of what starts and stops one: the fake agent, run as a process.

It leaves address and key where a real one does, and on SIGTERM how its jobs stood. Killed and started again it knows
what it knew, and its jobs go on. Its model speaks as the demo's should.
"""

import asyncio
import os
import pickle
import signal
from contextlib import suppress
from pathlib import Path

import psutil

from shared.events import EventData
from shared.jobs import FINISHED, JobStatus
from shared.results import Answer
from tests.fakes.agent_server import KEY, PNG, RESULT, FakeAgent

ROOT = Path(__file__).parents[2]
KNOWN = ("files", "inspections", "plans", "jobs", "events", "_serials")
PERSONA = RESULT.model_copy(update={"answers": [Answer(question="?", base="Hello.", tuned="Mrrp. Five naps.")] * 3})


def install(folder: Path) -> dict[str, str]:
    """Put it where `python -m agent` finds it first; return the environment for processes run in that folder."""
    (folder / "agent").mkdir()
    # What the fake takes from the real agent, its rules of who may do what, is found behind it.
    (folder / "agent" / "__init__.py").write_text(f"__path__.append({str(ROOT / 'agent')!r})\n")
    (folder / "agent" / "__main__.py").write_text("from tests.bot.stand_in_agent import main\nmain()\n")
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HEARTH_DATA_DIR": str(folder / "data")}


def main() -> None:
    if (fatal := Path("agent-fatal")).exists():  # a test wants it to die at once
        raise SystemExit(fatal.read_text())
    ended = asyncio.run(_serve(Path(os.environ["HEARTH_DATA_DIR"])))
    Path("agent-stopped").write_text(ended)


class StandIn(FakeAgent):
    """Writes down what it knows whenever something happens."""

    def __init__(self, memory: Path) -> None:
        super().__init__()
        self._memory = memory
        if memory.exists():
            vars(self).update(pickle.loads(memory.read_bytes()))

    def go_on(self) -> None:
        for job in self.jobs.values():
            if job.status not in FINISHED:
                self.play(job.id)

    def emit(self, job_id: str, data: EventData) -> None:
        super().emit(job_id, data)
        part = self._memory.with_suffix(".part")
        part.write_bytes(pickle.dumps({name: vars(self)[name] for name in KNOWN}))
        part.replace(self._memory)

    async def may_end(self) -> None:
        hold = os.environ.get("UNTIL")
        while hold and not Path(hold).exists():  # noqa: ASYNC110, ASYNC240 -- another process makes it
            await asyncio.sleep(0.05)

    def succeed(self, job_id: str, *, gguf: bytes = b"G" * 2000) -> None:
        contents = {
            "toast.gguf": gguf, "toast-adapter.zip": b"A" * 900, "Modelfile": b"FROM ./toast.gguf\n",
            "report.json": PERSONA.model_dump_json().encode(), "loss.png": PNG,
        }  # fmt: skip
        ids = [self.add_file(name, content, job_id=job_id).id for name, content in contents.items()]
        self.end(job_id, JobStatus.succeeded, result=PERSONA, result_files=ids, stage=None)


async def _serve(data: Path) -> str:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    agent = StandIn(data / "memory")
    agent.autoplay = "succeeded"
    agent.pace_s = float(os.environ.get("PACE_S", "0.002"))
    await agent.start()
    agent.go_on()
    (data / "agent.key").write_text(KEY)
    (data / "agent.address").write_text(agent.url.removeprefix("http://"))
    await stop.wait()
    await agent.stop()
    return " ".join(job.status for job in agent.jobs.values())


async def kill_child(parent: int, module: str) -> int:
    """`kill -9` the child of a process that runs `python -m MODULE`; return its pid."""
    while True:
        for child in psutil.Process(parent).children():
            with suppress(psutil.Error):
                if child.cmdline()[-2:] == ["-m", module]:
                    child.kill()
                    return child.pid
        await asyncio.sleep(0.01)
