"""A trainer without torch that speaks the whole job-folder protocol, as a real process.

`trainer.py BEHAVIOUR [--fetch] JOB_FOLDER`. It goes on from a gate (a file `go` in the job folder) where a test
must see it running; nothing in it waits on the clock alone.
"""

import argparse
import hashlib
import os
import signal
import sys
import time
from pathlib import Path

from filelock import FileLock

from agent.job_folder import Heartbeat, JobFolder, JobSpec, replace_file
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

    def beat(self, stage: Stage, step: int = 0) -> None:
        now = time.time()
        heartbeat = Heartbeat(stage=stage, step=step, pid=os.getpid(), alive_at=now, progress_at=now)
        replace_file(self.folder.heartbeat, heartbeat.model_dump_json().encode())


def fetch(voice: Voice) -> None:
    voice.say("Getting the base model.", StageData(stage=Stage.fetch, done=False))
    (voice.folder.path / "environment-fetch").write_text("\n".join(sorted(os.environ)))
    replace_file(voice.folder.stage_marker(Stage.fetch), b"")
    voice.say("Done: fetch.", StageData(stage=Stage.fetch, done=True))


def train(voice: Voice, spec: JobSpec, behaviour: str) -> None:
    (voice.folder.path / "environment-train").write_text("\n".join(sorted(os.environ)))
    voice.say("Training.", StageData(stage=Stage.train, done=False))
    for step in range(1, STEPS + 1):
        voice.beat(Stage.train, step)
        voice.say(f"Step {step}", _progress(step), metrics=True)
        if step == 1:
            _checkpoint(voice, step)
            _misbehave(voice, behaviour)
    voice.say("Validation", EvaluationData(step=STEPS, split="validation", loss=1.5, best_loss=1.5, best_step=STEPS))
    _leave(voice, "toast.gguf", voice.folder.export / "toast.gguf", GGUF)
    voice.say("Done.", StateData(status=JobStatus.succeeded, result=_result(spec)))


def _misbehave(voice: Voice, behaviour: str) -> None:
    if behaviour == "fail":
        error = JobError(code=ErrorCode.training_diverged, message="The loss became NaN at step 2.")
        voice.say(error.message, StateData(status=JobStatus.failed, error=error))
        sys.exit(0)
    if behaviour == "die":
        sys.stderr.write("Traceback (most recent call last):\n  File x\nRuntimeError: the card fell out\n")
        os.kill(os.getpid(), signal.SIGKILL)
    if behaviour == "babble":
        with voice.folder.events.open("ab") as file:
            file.write(b'{"created_at": NaN}\n')
    if behaviour in {"hold", "deaf", "babble"}:
        _hold(voice, deaf=behaviour == "deaf")


def _hold(voice: Voice, *, deaf: bool) -> None:
    while not (voice.folder.path / "go").exists():
        if voice.folder.cancel_request.exists() and not deaf:
            _leave(voice, "adapter.safetensors", voice.folder.adapter / "adapter_model.safetensors", b"weights")
            voice.say("Cancelled; what was trained is kept.", StateData(status=JobStatus.cancelled))
            sys.exit(0)
        time.sleep(0.01)


def _checkpoint(voice: Voice, step: int) -> None:
    (voice.folder.checkpoints / f"step-{step}").mkdir()
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
    parser.add_argument("behaviour", choices=["succeed", "hold", "deaf", "die", "fail", "babble", "fetch-dies"])
    parser.add_argument("--fetch", action="store_true")
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    if arguments.behaviour == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    folder = JobFolder(path=arguments.folder)
    with FileLock(folder.lock).acquire(timeout=10):
        voice = Voice(folder)
        if not arguments.fetch:
            train(voice, folder.read_spec(), arguments.behaviour)
        elif arguments.behaviour == "fetch-dies":
            sys.exit("no route to the hub")
        else:
            fetch(voice)


if __name__ == "__main__":
    main()
