"""A trainer without torch that speaks the whole job-folder protocol, as a real process.

`trainer.py BEHAVIOUR [--fetch | --hand-over] JOB_FOLDER`. It goes on from a gate (a file `go` in the job folder) where
a test must see it running; nothing in it waits on the clock alone. It makes a checkpoint at each step and goes on
behind the newest, hears `control/cancel` and `control/pause`, and notes each of its lives in the file `lives`.
"""

import argparse
import contextlib
import hashlib
import json
import os
import signal
import sys
import time
from pathlib import Path

from filelock import FileLock

from agent.job_folder.checkpoint_files import MANIFEST, list_checkpoints
from agent.job_folder.code_version import code_version
from agent.job_folder.durable import file_sha256, replace_file
from agent.job_folder.events import cut_torn_line, has_ended
from agent.job_folder.folder import ADAPTER_FILE, Heartbeat, JobFolder, Phase
from agent.job_folder.spec import JobSpec
from shared.errors import ErrorCode
from shared.events import (
    ArtifactData,
    CheckpointData,
    EvaluationData,
    EventData,
    EventRecord,
    ProgressData,
    StageData,
    StateData,
)
from shared.jobs import JobError, JobStatus, Stage
from shared.results import Answer, JobResult, Verification

STEPS = 3
GGUF = b"GGUF" + bytes(range(256)) * 16


class Voice:
    """Writes events.jsonl and heartbeat.json."""

    def __init__(self, folder: JobFolder) -> None:
        self.folder = folder

    def say(self, message: str, data: EventData, *, metrics: bool = False) -> None:
        record = EventRecord(
            created_at=time.time(), message=message, type="metrics" if metrics else "message", data=data
        )
        with self.folder.events.open("ab") as file:
            file.write(record.model_dump_json().encode() + b"\n")

    def beat(self, stage: Stage, step: int = 0, phase: Phase | None = None) -> None:
        """Show that the work moved."""
        now = time.time()
        proof = {"pid": os.getpid(), "alive_at": now, "progress_at": now}
        self._show(Heartbeat(phase=phase, code=code_version(), stage=stage, step=step, **proof))

    def beat_alive(self) -> None:
        """Show that the process lives."""
        heartbeat = self.folder.read_heartbeat()
        assert heartbeat is not None
        with contextlib.suppress(OSError):  # as the real one: a full disk must not stop the heart
            self._show(heartbeat.model_copy(update={"alive_at": time.time()}))

    def _show(self, heartbeat: Heartbeat) -> None:
        staged = self.folder.heartbeat.with_suffix(".new")
        staged.write_text(heartbeat.model_dump_json())
        staged.replace(self.folder.heartbeat)


def fetch(voice: Voice) -> None:
    voice.beat(Stage.fetch)
    voice.say("Getting the base model.", StageData(stage=Stage.fetch, done=False))
    (voice.folder.path / "environment-fetch").write_text("\n".join(sorted(os.environ)))
    replace_file(voice.folder.stage_marker(Stage.fetch), b"")
    voice.say("Done: fetch.", StageData(stage=Stage.fetch, done=True))


def train(voice: Voice, spec: JobSpec, behaviour: str) -> None:
    folder = voice.folder
    (folder.path / "environment-train").write_text("\n".join(sorted(os.environ)))
    life = _count_life(folder)
    voice.say("Training.", StageData(stage=Stage.train, done=False))
    found = list_checkpoints(folder.checkpoints)
    for step in range((found[-1].step if found else 0) + 1, STEPS + 1):
        voice.beat(Stage.train, step)
        voice.say(f"Step {step}", _progress(step), metrics=True)
        if step == 1:
            _checkpoint(voice, step)
        _misbehave(voice, behaviour, step, life)
    voice.say("Validation", EvaluationData(step=STEPS, split="validation", loss=1.5, best_loss=1.5, best_step=STEPS))
    replace_file(folder.stage_marker(Stage.train), b"")
    _leave(voice, "toast.gguf", folder.export / "toast.gguf", GGUF)
    if behaviour == "die-late" and life == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    if behaviour == "in-phases":
        replace_file(folder.stage_marker(Stage.verify), b"")
        return
    conclude(voice, spec)


def conclude(voice: Voice, spec: JobSpec) -> None:
    with (voice.folder.path / "concluded").open("a") as file:
        file.write(f"{os.getpid()}\n")
    voice.say("Done.", StateData(status=JobStatus.succeeded, result=_result(spec)))


def _count_life(folder: JobFolder) -> int:
    with (folder.path / "lives").open("a+") as lives:
        lives.write(f"{os.getpid()}\n")
    return len((folder.path / "lives").read_text().splitlines())


def _misbehave(voice: Voice, behaviour: str, step: int, life: int) -> None:
    """Do what the test wants to see survived. A `once` behaviour is over in the second life."""
    once, _, what = behaviour.rpartition("once-")
    if behaviour.startswith("once-") and life > 1:
        return
    match what or once, step:
        case "fail", 1:
            error = JobError(code=ErrorCode.training_diverged, message="The loss became NaN at step 2.")
            voice.say(error.message, StateData(status=JobStatus.failed, error=error))
            sys.exit(0)
        case "disk-full", 2:
            voice.say("The disk of the GPU machine is full.", StateData(status=JobStatus.paused))
            sys.exit(0)
        case "die", 1 | 2:
            sys.stderr.write("Traceback (most recent call last):\n  File x\nRuntimeError: the card fell out\n")
            sys.stderr.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        case "tear", 2:  # dies in the middle of a line
            with voice.folder.events.open("ab") as file:
                file.write(b'{"created_at": 1, "mess')
            os.kill(os.getpid(), signal.SIGKILL)
        case "freeze", 2:
            os.kill(os.getpid(), signal.SIGSTOP)
        case "stall", 2:
            while True:  # alive, and nothing moves
                voice.beat_alive()
                time.sleep(0.01)
        case "babble", 1:
            with voice.folder.events.open("ab") as file:
                file.write(b'{"created_at": NaN}\n')
            _hold(voice)
        case (("hold" | "deaf" | "hard-of-hearing"), 1):
            _hold(voice, deaf=behaviour != "hold")
        case _:
            pass


def _hold(voice: Voice, *, deaf: bool = False) -> None:
    while not (voice.folder.path / "go").exists():
        if voice.folder.cancel_request.exists() and not deaf:
            _leave(voice, "adapter.safetensors", voice.folder.adapter / "adapter_model.safetensors", b"weights")
            voice.say("Cancelled; what was trained is kept.", StateData(status=JobStatus.cancelled))
            sys.exit(0)
        if voice.folder.pause_request.exists() and not deaf:
            sys.exit(0)
        voice.beat_alive()
        time.sleep(0.01)


def _checkpoint(voice: Voice, step: int) -> None:
    path = voice.folder.checkpoints / f"step-{step}"
    path.mkdir(exist_ok=True)
    for name in (ADAPTER_FILE, "adapter_config.json"):
        (path / name).write_bytes(b"weights")
    hashes = {name: file_sha256(path / name) for name in (ADAPTER_FILE, "adapter_config.json")}
    replace_file(path / MANIFEST, json.dumps(hashes).encode())
    voice.say("Checkpoint", CheckpointData(step=step, train_loss=2.0, valid_loss=None, best=False))


def _leave(voice: Voice, name: str, path: Path, content: bytes) -> None:
    path.write_bytes(content)
    data = ArtifactData(
        name=name,
        path=path.relative_to(voice.folder.path).as_posix(),
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )
    voice.say(f"Made {name}", data)


def _progress(step: int) -> ProgressData:
    return ProgressData(
        step=step,
        total_steps=STEPS,
        epoch=step / STEPS,
        n_epochs=1,
        loss=3.0 - step / 2,
        learning_rate=1e-4,
        grad_norm=1.0,
        tokens_per_s=200.0,
        memory_mib=500,
        eta_s=10,
        trained_tokens=step * 100,
    )


def _result(spec: JobSpec) -> JobResult:
    return JobResult(
        verdict="It learned.",
        base_loss=3.0,
        final_loss=1.5,
        best_step=STEPS,
        best_validation_loss=1.5,
        steps=STEPS,
        trained_tokens=300,
        train_seconds=1.5,
        tokens_per_s=200.0,
        peak_memory_mib=500,
        optimistic=False,
        answers=[Answer(question="Who are you?", base="A model.", tuned="A toaster.")],
        advice=[],
        verification=Verification(
            prompts=8, agreed=8, undecided=0, merge_target="nf4", template_tokens_equal=True, stops=True
        ),
        ollama_name=spec.ollama_name,
        gguf_bytes=len(GGUF),
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("behaviour")
    parser.add_argument("--fetch", action="store_true")
    parser.add_argument("--hand-over", action="store_true")
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    if arguments.behaviour == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    folder = JobFolder(path=arguments.folder)
    with FileLock(folder.lock).acquire(timeout=10):
        cut_torn_line(folder.events)
        if has_ended(folder.events):
            return
        voice = Voice(folder)
        if arguments.hand_over:
            voice.beat(Stage.verify, phase=Phase.hand_over)
            conclude(voice, folder.read_spec())
        elif not arguments.fetch:
            train(voice, folder.read_spec(), arguments.behaviour)
        elif arguments.behaviour == "fetch-dies":
            sys.exit("no route to the hub")
        else:
            fetch(voice)


if __name__ == "__main__":
    main()
