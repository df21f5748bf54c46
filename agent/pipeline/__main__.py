"""Run a job: `python -m agent.pipeline --fetch FOLDER`, then without --fetch, then with --hand-over.

Only the first and the last may need a network; what is between them trains, exports and verifies. Each holds the
folder's lock as long as it lives. The job's last event says how it ended; the exit code says nothing.
"""

import argparse
import errno
import faulthandler
import logging
import os
import shutil
import signal
import sys
import threading
from pathlib import Path

from filelock import FileLock, Timeout

from agent.children.network_guard import forbid_network
from agent.errors import AgentError
from agent.job_folder.code_version import code_on_disk, code_version
from agent.job_folder.durable import replace_file
from agent.job_folder.events import has_ended
from agent.job_folder.folder import JobFolder, Phase
from agent.pipeline.adapter import keep_what_was_trained
from agent.pipeline.by_hand import NAMES, run_by_hand
from agent.pipeline.context import Cancelled, Context, DiskFull, EventLog, Pulse, Stopped
from agent.pipeline.stages import STAGES, StageStep
from shared.errors import ErrorCode
from shared.events import StageData, StateData
from shared.jobs import JobError, JobStatus, Stage
from shared.language import N_, _

LOCK_WAIT_S = 5.0  # an agent that restarts takes the lock for an instant, to see whether it is held

logger = logging.getLogger("agent.pipeline")

DOING = {
    Stage.fetch: N_("Getting the base model."),
    Stage.prepare: N_("Turning rows into tokens."),
    Stage.load: N_("Loading the base model."),
    Stage.train: N_("Training."),
    Stage.evaluate: N_("Comparing the tuned model with the base model."),
    Stage.export: N_("Writing the model for Ollama."),
    Stage.verify: N_("Checking the model in llama.cpp."),
}


def main() -> None:
    """Parse the command line, take the lock, run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--fetch", action="store_true", help="get the base model, and no more")
    only.add_argument("--hand-over", action="store_true", help="give the verified model to Ollama, and end the job")
    parser.add_argument("--lock-held", type=int, default=None, help="the lock's descriptor, kept over a fresh start")
    parser.add_argument("--job", type=Path, metavar="FOLDER", help="with --stage: run that one by hand")
    parser.add_argument("--stage", choices=NAMES)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if arguments.job is not None and arguments.stage is not None:
        run_by_hand(JobFolder(path=arguments.job.absolute()), arguments.stage)
        return
    if arguments.folder is None:
        parser.error("give a job's FOLDER, or --job FOLDER --stage STAGE")
    folder = JobFolder(path=arguments.folder)
    lock = FileLock(folder.lock)
    if arguments.lock_held is None:
        try:
            lock.acquire(timeout=LOCK_WAIT_S)
        except Timeout:
            sys.exit(f"another trainer holds {folder.lock}")
        if has_ended(folder.events):
            return  # it waited for the lock of one that brought the job to its end
    phase = Phase.fetch if arguments.fetch else Phase.hand_over if arguments.hand_over else Phase.train
    pulse = Pulse(folder, phase)
    context = Context(folder=folder, spec=folder.read_spec(), log=EventLog(folder.events), pulse=pulse)
    signal.signal(signal.SIGTERM, lambda *_: context.terminate.set())
    if hasattr(faulthandler, "register"):
        faulthandler.register(signal.SIGUSR1)  # all stacks to the log: the agent asks before it ends a stalled trainer
    if phase is not Phase.fetch:
        forbid_network()
    if phase is not Phase.train:
        context.pulse.beat(
            Stage.fetch if phase is Phase.fetch else Stage.verify
        )  # before the first heartbeat: one that is quick writes no second
    context.pulse.start()
    try:
        if phase is Phase.train:
            held = arguments.lock_held
            run_guarded(context, STAGES, last=False, lock_fd=lock_descriptor(lock) if held is None else held)
        else:
            networked = tuple(step for step in STAGES if step.networked)
            run_guarded(context, networked, last=phase is Phase.hand_over)
    finally:
        context.pulse.stop()


def run_guarded(context: Context, steps: tuple[StageStep, ...], *, last: bool, lock_fd: int | None = None) -> None:
    """Run the stages; whatever happens, the last event says it in words."""
    try:
        run_stages(context, steps, lock_fd)
        if last:
            from agent.pipeline.outcome import conclude
            from agent.pipeline.to_ollama import run as hand_over

            hand_over(context)
            conclude(context)
    except Cancelled:
        kept = keep_what_was_trained(context, as_it_is=True)
        said = _("Cancelled; what was trained is kept.") if kept else _("Cancelled before anything was trained.")
        context.log.write(said, StateData(status=JobStatus.cancelled))
    except Stopped:
        logger.info("stopped; the job goes on from its newest checkpoint")
    except DiskFull as full:
        context.log.write(str(full), StateData(status=JobStatus.paused), level="error")
    except AgentError as error:
        logger.exception("the job failed")
        diverged = error.code is ErrorCode.training_diverged and context.stage is Stage.train
        if diverged and adapts(context, lock_fd, diverged=True):
            return
        _fail(context, error.code, error.message, error.param)
    except Exception as error:
        logger.exception("the job failed")
        if _is_out_of_memory(error):
            del error  # its frames hold tensors
            if not adapts(context, lock_fd):
                _fail(context, ErrorCode.insufficient_memory, _out_of_memory(context))
        elif isinstance(error, OSError) and error.errno == errno.ENOSPC:
            context.log.write(_disk_full(context), StateData(status=JobStatus.paused), level="error")
        elif _is_broken_gpu(error):
            reason = str(error).splitlines()[0][:200]
            said = _("The GPU broke off ({reason}). Only a new process can use it again.", reason=reason)
            context.log.write(said, StateData(status=JobStatus.running), level="warn")
            sys.exit(1)  # without a last word: the agent starts the next attempt
        else:
            _fail(context, ErrorCode.internal, _(_UNEXPECTED))


_UNEXPECTED = N_(
    "Something unexpected stopped the job. Its log has the details: /log. The same settings can be tried again."
)
# Of a CPU, of CUDA's driver, of cuBLAS's workspace: torch has no type of its own for these.
_ALLOCATORS = ("DefaultCPUAllocator", "CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED")
_FOR_GOOD = ("no kernel image is available", "invalid device function")  # torch was not built for this GPU
_OUT_OF_MEMORY = N_("The memory of the GPU machine was not enough for this job.")


def _out_of_memory(context: Context) -> str:
    """Say that the memory was not enough, and what was given up in vain."""
    adapted = context.folder.read_spec().adapted
    if not adapted:
        return _(_OUT_OF_MEMORY)
    tried = _("It was not enough either with less: {changes}.", changes="; ".join(adapted))
    return f"{_(_OUT_OF_MEMORY)} {tried}"


def adapts(context: Context, lock_fd: int | None, *, diverged: bool = False) -> bool:
    """Go on by another revision of the spec, in a fresh process; False where there is none."""
    if lock_fd is None or context.stage is None:
        return False
    try:
        from agent.pipeline.adapt import adapt

        if not adapt(context, diverged=diverged):
            return False
    except Exception:  # whatever was the matter comes first
        logger.exception("the job could not adapt itself")
        return False
    start_afresh(context, lock_fd)
    return True


def _is_out_of_memory(error: Exception) -> bool:
    """Say whether an allocation failed: Python's, torch's, or one that torch reports as any other error."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or (isinstance(error, RuntimeError) and any(name in str(error) for name in _ALLOCATORS))
    )


def _is_broken_gpu(error: Exception) -> bool:
    """Say whether CUDA gave an error after which this process can do no more on the GPU, and another one may."""
    said = str(error)
    return isinstance(error, RuntimeError) and "CUDA error" in said and not any(name in said for name in _FOR_GOOD)


def _disk_full(context: Context) -> str:
    free_mib = shutil.disk_usage(context.folder.path).free >> 20
    return _(
        "The disk of the GPU machine is full ({free_mib} MiB free). Free some space there, then resume the job.",
        free_mib=free_mib,
    )


def run_stages(context: Context, steps: tuple[StageStep, ...], lock_fd: int | None) -> None:
    """Run each stage that has no completion marker yet, and mark it."""
    began = False
    for step in steps:
        marker = context.folder.stage_marker(step.stage)
        if marker.exists():
            continue
        context.stage = step.stage
        context.check_wishes()
        if code_on_disk() != code_version():
            logger.info("the code was replaced; what comes next is imported by a new process")
            raise Stopped
        if step.fresh_memory and began and "torch" in sys.modules and lock_fd is not None:
            start_afresh(context, lock_fd)
        began = True
        context.pulse.beat(step.stage)
        context.log.write(_(DOING[step.stage]), StageData(stage=step.stage, done=False))
        step.load()(context)
        replace_file(marker, b"")
        context.pulse.beat(step.stage)
        context.log.write(f"Done: {step.stage.value}.", StageData(stage=step.stage, done=True))


def start_afresh(context: Context, lock_fd: int) -> None:
    """Replace this process by itself without its memory: same pid, same session, lock never let go.

    Freed tensors leave a large process behind; the export must fit beside whatever else the machine does.
    """
    context.pulse.stop()
    os.set_inheritable(lock_fd, True)
    arguments = [
        sys.executable,
        "-m",
        "agent.pipeline",
        str(context.folder.path),
        f"--lock-held={lock_fd}",
    ]
    os.execv(sys.executable, arguments)  # noqa: S606 - our own module, no shell wanted


def lock_descriptor(lock: FileLock) -> int:
    """Return the descriptor that holds the lock."""
    descriptor = lock._context.lock_file_fd  # noqa: SLF001 - filelock has no public name for it
    if descriptor is None:
        raise RuntimeError("the lock is not held")
    return descriptor


def _fail(context: Context, code: ErrorCode, message: str, param: str | None = None) -> None:
    try:
        keep_what_was_trained(context, as_it_is=False)
        from agent.pipeline.outcome import advise_after_failure

        advise_after_failure(context, code)
    except Exception:  # nothing must silence the last word
        logger.exception("what was trained could not be handed out")
    error = JobError(code=code, message=message, param=param)
    context.log.write(message, StateData(status=JobStatus.failed, error=error), level="error")


if __name__ == "__main__":
    threading.current_thread().name = "trainer"
    main()
