"""The trainer as a process: started in a session of its own, watched, signalled. The job folder says the rest."""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import psutil
from filelock import FileLock, Timeout

from agent.children.environment import child_environment
from agent.children.priority import OomScore, lower_priority, offer_to_oom_killer
from agent.data.redact import redact
from agent.job_folder.folder import JobFolder
from shared.language import _
from shared.log_file import last_lines


class Trainer(Protocol):
    """A trainer, ours or adopted."""

    def alive(self) -> bool:
        """Say whether it still runs."""

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to it and all its children; nothing happens when it is gone."""

    def outcome(self) -> str:
        """Say how it ended, as far as that is known: "killed by SIGKILL", "exit code 1"."""

    def may_be_killed(self) -> bool:
        """Say whether SIGKILL may have ended it."""


class SpawnedTrainer:
    """A trainer that this agent started."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process

    def alive(self) -> bool:
        """Say whether the process runs."""
        return self.process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """Signal its process group: also what outlived it."""
        signal_group(self.process.pid, number)

    def may_be_killed(self) -> bool:
        """Read the exit code."""
        return self.process.poll() == -signal.SIGKILL

    def outcome(self) -> str:
        """Read the exit code."""
        code = self.process.poll()
        if code is not None and code < 0:
            return _("killed by {name}", name=signal.Signals(-code).name)
        return exit_code(code)


def exit_code(code: int | None) -> str:
    """Return how an ordinary end is called."""
    return _("exit code {code}", code=code)


class AdoptedTrainer:
    """A trainer of an earlier agent. It lives as long as it holds the lock; its pid is only good for signals."""

    def __init__(self, folder: JobFolder) -> None:
        self._folder = folder

    def alive(self) -> bool:
        """Say whether the job folder's lock is held."""
        return lock_is_held(self._folder.lock)

    def signal(self, number: signal.Signals) -> None:
        """Signal the group of the pid in the heartbeat, while the lock is held and that process is the trainer.

        Once it is free: what outlived the trainer in its group.
        """
        heartbeat = self._folder.read_heartbeat()
        if heartbeat is None:
            return
        if not self.alive():
            signal_orphans(self._folder, heartbeat.pid, number)
        elif is_trainer_of(self._folder, heartbeat.pid):
            signal_group(heartbeat.pid, number)

    def may_be_killed(self) -> bool:
        """Nobody was there to see it."""
        return True

    def outcome(self) -> str:
        """Nobody was there to see it."""
        return _("its exit was not seen")


def start(command: Sequence[str], folder: JobFolder, environment: Mapping[str, str]) -> SpawnedTrainer:
    """Start `command <job folder>` in a session of its own, output to the job's log, below everybody's priority."""
    temporary_folder(folder).mkdir(exist_ok=True)
    with folder.log.open("ab") as log:
        process = subprocess.Popen(
            [*command, str(folder.path)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder.path,
            env=dict(environment),
            start_new_session=True,
        )
    lower_priority(process.pid)
    offer_to_oom_killer(process.pid, OomScore.TRAINER)
    # Somebody must wait for it whenever it ends, also when its job has long ended: else it stays a zombie.
    threading.Thread(target=process.wait, name=f"reap-{process.pid}", daemon=True).start()
    return SpawnedTrainer(process)


def trainer_environment(
    folder: JobFolder, *, threads: int, gpu: str | None = None, hub_token: str | None = None, online: bool = False
) -> dict[str, str]:
    """Return the whole environment of a child: built from nothing, offline and without secrets unless `online`.

    It sees the one GPU it was planned for, and none without `gpu`.
    """
    environment = child_environment(offline=not online) | {
        "HOME": str(folder.path),  # caches and settings of the person at the machine stay out of it
        "TMPDIR": str(temporary_folder(folder)),
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",  # the numbers of NVML, which the machine was read with
        "CUDA_VISIBLE_DEVICES": gpu or "",
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": str(threads),  # torch's own on ARM
    }
    return environment | ({"HF_TOKEN": hub_token} if online and hub_token else {})


def temporary_folder(folder: JobFolder) -> Path:
    """Return where a child's temporary files go, so that they go away with the job."""
    return folder.path / "tmp"


def is_trainer_of(folder: JobFolder, pid: int) -> bool:
    """Say whether a process was started on this job folder: the number alone may by now be somebody else's."""
    try:
        return str(folder.path) in psutil.Process(pid).cmdline()
    except (psutil.Error, ValueError):
        return False


def signal_orphans(folder: JobFolder, group: int, number: signal.Signals) -> None:
    """Signal the processes that a trainer, which is gone, left in its group (POSIX).

    The number of the group may by now be somebody else's; theirs do not work in the job's folder.
    """
    if not hasattr(os, "getpgid"):
        return
    for process in psutil.process_iter():
        with contextlib.suppress(OSError, psutil.Error):  # gone meanwhile, or another user's
            if os.getpgid(process.pid) == group and Path(process.cwd()) == folder.path.resolve():
                process.send_signal(number)


def signal_group(pid: int, number: signal.Signals) -> None:
    """Send a signal to a session leader's group; where there are no groups, to it and its children."""
    try:
        if hasattr(os, "killpg"):
            os.killpg(pid, number)
            return
        leader = psutil.Process(pid)
        for process in [*leader.children(recursive=True), leader]:
            process.send_signal(number)
    except (ProcessLookupError, PermissionError, psutil.Error):  # gone; macOS says EPERM for a zombie
        return


def lock_is_held(path: Path) -> bool:
    """Say whether somebody holds the lock. Looking takes it for an instant: never while a trainer starts."""
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False


def last_line(log: Path, *, limit: int = 200) -> str | None:
    """Return the last line of a log that says something, redacted; of a traceback that is the error itself."""
    lines = [line.strip() for line in last_lines(log, 50) if line.strip()]
    return redact(lines[-1])[:limit] if lines else None  # cut last: half a secret is not recognised
