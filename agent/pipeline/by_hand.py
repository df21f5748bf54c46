"""One stage of a job, run by hand on its folder: `python -m agent.pipeline --job FOLDER --stage train`.

For whoever works on a stage. It writes what the stage writes, and its completion marker; its events go to
by_hand.jsonl, so that the agent, which follows events.jsonl, is told nothing.
"""

import logging
import sys

from filelock import FileLock, Timeout

from agent.children.network_guard import forbid_network
from agent.errors import AgentError
from agent.job_folder.durable import replace_file
from agent.job_folder.folder import JobFolder, Phase
from agent.pipeline.context import Context, EventLog, Pulse
from agent.pipeline.stages import STAGES
from shared.jobs import Stage

HAND_OVER = "hand_over"
NAMES = (*(step.stage.value for step in STAGES), HAND_OVER)
EVENTS = "by_hand.jsonl"
log = logging.getLogger("agent.pipeline")


def run_by_hand(folder: JobFolder, name: str) -> None:
    """Run one stage, also one that is complete. Exits with a sentence where that cannot be."""
    if not folder.spec.is_file():
        sys.exit(f"{folder.path} is no job's folder: it has no spec.json. They lie in HEARTH_DATA_DIR/jobs.")
    lock = FileLock(folder.lock)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        sys.exit(f"The job's own trainer holds {folder.lock}. Pause the job first, or wait for its end.")
    context = Context(
        folder=folder, spec=folder.read_spec(), log=EventLog(folder.path / EVENTS), pulse=Pulse(folder, _phase(name))
    )
    try:
        if name == HAND_OVER:
            from agent.pipeline.to_ollama import run as hand_over

            hand_over(context)
        else:
            step = next(step for step in STAGES if step.stage.value == name)
            if not step.networked:
                forbid_network()
            step.load()(context)
            replace_file(folder.stage_marker(step.stage), b"")
    except AgentError as error:
        sys.exit(error.message)
    finally:
        lock.release()
    log.info("%s is done; what it said is in %s", name, folder.path / EVENTS)


def _phase(name: str) -> Phase:
    return {Stage.fetch.value: Phase.fetch, HAND_OVER: Phase.hand_over}.get(name, Phase.train)
