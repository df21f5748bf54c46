"""What a stage is given: the job folder, its spec, the event log, the heartbeat, and what the agent asks for."""

import contextlib
import io
import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from agent.job_folder.code_version import code_version
from agent.job_folder.events import cut_torn_line
from agent.job_folder.folder import Heartbeat, JobFolder, Phase
from agent.job_folder.spec import JobSpec
from shared.events import EventData, EventRecord
from shared.jobs import Stage
from shared.log_file import keep_within

if TYPE_CHECKING:
    from agent.pipeline.model import LoadedModel

PULSE_S = 2.0


class Cancelled(Exception):
    """The agent asked for the end of this job."""


class Stopped(Exception):
    """The process was asked to end (a pause, or SIGTERM), the job was not: it goes on later."""


class DiskFull(Exception):
    """There is no room to go on. Its text is for a person; the job is paused."""


class EventLog:
    """Appends to events.jsonl, one whole line at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        cut_torn_line(path)

    def write(
        self,
        message: str,
        data: EventData,
        *,
        level: Literal["info", "warn", "error"] = "info",
        type: Literal["message", "metrics"] = "message",
    ) -> None:
        """Write one event; it is on disk when this returns."""
        record = EventRecord(created_at=time.time(), level=level, message=message, type=type, data=data)
        with self._path.open("ab", buffering=0) as file:
            end = file.seek(0, os.SEEK_END)
            try:
                _write_whole(file, record.model_dump_json().encode() + b"\n")
            except OSError:
                with contextlib.suppress(OSError):
                    file.truncate(end)  # half a line would spoil the next one
                raise
            os.fsync(file.fileno())  # where this fails the line stays: the agent may have read it


def _write_whole(file: io.FileIO, line: bytes) -> None:
    """Write all of it: a disk that fills up takes a part first and refuses the next write."""
    written = 0
    while written < len(line):
        written += file.write(line[written:]) or 0


class Pulse:
    """Keeps heartbeat.json fresh: `alive_at` from a thread, `progress_at` from the work. Bounds the log too."""

    def __init__(self, folder: JobFolder, phase: Phase = Phase.train) -> None:
        self._folder = folder
        self._phase = phase
        self._code = code_version()
        self._lock = threading.Lock()
        self._stage: Stage | None = None
        self._step = 0
        self._progress_at = time.time()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)

    def start(self) -> None:
        """Write the first heartbeat and go on every two seconds."""
        self._write()
        self._thread.start()

    def stop(self) -> None:
        """Write no more."""
        self._stop.set()
        self._thread.join()

    def beat(self, stage: Stage | None = None, step: int | None = None) -> None:
        """Note that the work moved."""
        self._stage = stage or self._stage
        self._step = self._step if step is None else step
        self._progress_at = time.time()

    def _run(self) -> None:
        while not self._stop.wait(PULSE_S):
            with contextlib.suppress(OSError):  # a full disk must not stop the heart
                self._write()
            with contextlib.suppress(OSError):
                keep_within(self._folder.log)  # also where no agent lives that could do it

    def _write(self) -> None:
        beat = Heartbeat(
            phase=self._phase,
            code=self._code,
            stage=self._stage,
            step=self._step,
            pid=os.getpid(),
            alive_at=time.time(),
            progress_at=self._progress_at,
        )
        staged = self._folder.heartbeat.with_suffix(".new")
        with self._lock:
            staged.write_text(beat.model_dump_json(), encoding="utf-8")
            staged.replace(self._folder.heartbeat)


@dataclass(kw_only=True)
class Context:
    """One job being done."""

    folder: JobFolder
    spec: JobSpec
    log: EventLog
    pulse: Pulse
    stage: Stage | None = None  # being done
    model: "LoadedModel | None" = None  # in memory from `load` to the end of `evaluate`
    trained_steps: int = 0  # optimizer steps that the model in memory has had
    terminate: threading.Event = field(default_factory=threading.Event)  # set by SIGTERM

    @property
    def gguf(self) -> Path:
        """Return where the finished model lies, or will."""
        return self.folder.export / f"{self.spec.name}.gguf"

    def check_wishes(self) -> None:
        """Raise Cancelled or Stopped if somebody asked for it. Called between steps and stages."""
        if self.folder.cancel_request.exists():
            raise Cancelled
        if self.asked_to_stop():
            raise Stopped

    def asked_to_stop(self) -> bool:
        """Say whether the process shall end, and the job go on later."""
        return self.terminate.is_set() or self.folder.pause_request.exists()

    def tick(self) -> None:
        """Note that the work moved, and raise if the agent asked for an end. Called inside long work."""
        self.pulse.beat()
        self.check_wishes()

    def announce(self, path: Path) -> None:
        """Announce a result file that is complete on disk."""
        self.log.write(f"{path.name} is ready.", self.folder.artifact(path))
