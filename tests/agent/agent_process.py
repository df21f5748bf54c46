"""An agent as a process that can be killed: `python -m tests.agent.agent_process DATA_DIR BEHAVIOUR [KILL_AT]`.

The API is real, the trainers are the torch-free ones. It writes its address to `address` in DATA_DIR. KILL_AT names the
moment at which it kills itself with SIGKILL, the first time it comes by.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from agent import supervisor
from agent.job_folder import replace_file
from agent.settings import AgentSettings
from agent.store import running
from shared.events import StateData
from tests.agent.running import QUICK, run_agent


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
        case "between claim and spawn":
            patch(supervisor, "start", before)
        case "between spawn and record":
            patch(supervisor, "start", after)
        case "in the middle of storing":  # the rows are written, the transaction is not committed
            patch(running, "take_events", after)
        case "after the end before it is recorded":
            patch(running, "take_events", before_last_word)
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
