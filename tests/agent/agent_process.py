"""An agent as a process that can be killed: `python -m tests.agent.agent_process DATA_DIR BEHAVIOUR [KILL_AT]`.

The API is real, the trainers are the torch-free ones. It writes its address to `address` in DATA_DIR. KILL_AT names the
moment at which it kills itself with SIGKILL, the first time it comes by. `KilledAgent` starts and kills such processes.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from shared.imports import collector_paused

with collector_paused():
    from agent.job_folder.durable import replace_file
    from agent.job_folder.folder import JobFolder
    from agent.running import supervisor
    from agent.settings import AgentSettings
    from agent.store import running_jobs
    from shared.events import StateData
    from tests.agent.running_agent import KEY, QUICK, run_agent
    from tests.empty_store import put_empty_store

if TYPE_CHECKING:
    import openai

MOMENTS = [
    "between claim and folder",
    "between claim and spawn",
    "between spawn and record",
    "between spawn and record of the second child",
    "in the middle of storing",
    "after the end before it is recorded",
]


class KilledAgent:
    """Starts agents on one data folder, one after the other."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        put_empty_store(data_dir)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, behaviour: str, *kill_at: str) -> None:
        (self.data_dir / "address").unlink(missing_ok=True)
        command = [sys.executable, "-m", "tests.agent.agent_process", str(self.data_dir), behaviour, *kill_at]
        log = (self.data_dir / "agent.log").open("ab")
        with log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "PYTHONSAFEPATH": ""})

    def api(self) -> "openai.OpenAI":
        import openai  # here: the process that is started knows none of it

        until(lambda: (self.data_dir / "address").exists())
        url = (self.data_dir / "address").read_text()
        return openai.OpenAI(base_url=f"{url}v1", api_key=KEY, max_retries=0)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def until_dead(self) -> None:
        assert self.process is not None
        assert self.process.wait(30) == -signal.SIGKILL

    def folder(self, job_id: str) -> JobFolder:
        return JobFolder(path=self.data_dir / "jobs" / job_id)

    def pids(self, job_id: str) -> list[int]:
        """Return the trainers that a job has had; none before its first."""
        path = self.folder(job_id).path / "lives"
        return [int(line) for line in path.read_text().splitlines()] if path.exists() else []


def until(holds: Callable[[], object]) -> None:
    """Look until something holds that other processes do."""
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def before(function: Callable[..., Any]) -> Callable[..., Any]:
    def dies(*arguments: Any, **keywords: Any) -> Any:
        die()
        return function(*arguments, **keywords)

    return dies


def after(function: Callable[..., Any]) -> Callable[..., Any]:
    def dies(*arguments: Any, **keywords: Any) -> Any:
        function(*arguments, **keywords)
        die()

    return dies


def after_second(function: Callable[..., Any]) -> Callable[..., Any]:
    def dies(command: Sequence[str], *arguments: Any, **keywords: Any) -> Any:
        child = function(command, *arguments, **keywords)
        if "--fetch" not in command:
            die()
        return child

    return dies


def before_last_word(function: Callable[..., Any]) -> Callable[..., Any]:
    def dies(session: Any, job_id: str, records: list[Any], **keywords: Any) -> Any:
        if any(isinstance(record.data, StateData) for record in records):
            die()
        return function(session, job_id, records, **keywords)

    return dies


def patch(module: ModuleType, name: str, dies: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    vars(module)[name] = dies(vars(module)[name])


def arm(kill_at: str) -> None:
    match kill_at:
        case "between claim and folder":
            patch(supervisor, "make_spec", before)
        case "between claim and look for a trainer":
            patch(supervisor, "lock_is_held", before)
        case "between claim and spawn":
            patch(supervisor, "start", before)
        case "between spawn and record of the second child":
            patch(supervisor, "start", after_second)
        case "between spawn and record":
            patch(supervisor, "start", after)
        case "in the middle of storing":  # the rows are written, the transaction is not committed
            patch(running_jobs, "take_events", after)
        case "after the end before it is recorded":
            patch(running_jobs, "take_events", before_last_word)
        case _:
            raise SystemExit(f"no such moment: {kill_at}")


async def main() -> None:
    data_dir, behaviour, *kill_at = sys.argv[1:]
    for moment in kill_at:
        arm(moment)
    settings = AgentSettings(hearth_data_dir=Path(data_dir), ollama_host="127.0.0.1:1")
    async with run_agent(settings, behaviour, timings=replace(QUICK, adoption_s=1)) as agent:
        replace_file(Path(data_dir) / "address", agent.url.encode())
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
