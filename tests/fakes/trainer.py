"""A trainer without torch that speaks the whole job-folder protocol, as a real process.

`trainer.py BEHAVIOUR [--fetch | --hand-over] JOB_FOLDER`. It goes on from a gate (a file `go` in the job folder) where
a test must see it running; nothing in it waits on the clock alone. It makes a checkpoint at each step and goes on
behind the newest, hears `control/cancel` and `control/pause`, and notes each of its lives in the file `lives`.

It writes the protocol's JSON without the models that read it: hundreds of it are started, and these take six times as
long to import. `tests/agent/running/test_stand_in_trainer.py` holds it to them.
"""

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agent.job_folder.code_version import code_version
from agent.job_folder.durable import file_sha256, replace_file

STEPS = 3
GGUF = b"GGUF" + bytes(range(256)) * 16
ADAPTER = ("adapter_model.safetensors", "adapter_config.json")
ENDS = ("succeeded", "failed", "cancelled")
LOCK_WAIT_S = 10.0


class Voice:
    """Writes events.jsonl and heartbeat.json."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def say(self, message: str, kind: str, *, type: str = "message", **data: Any) -> None:
        event = {"created_at": time.time(), "message": message, "type": type, "data": {"kind": kind} | data}
        with (self.folder / "events.jsonl").open("ab") as file:
            file.write(json.dumps(event).encode() + b"\n")

    def beat(self, stage: str, step: int = 0, phase: str | None = None) -> None:
        """Show that the work moved."""
        now = time.time()
        proof = {"pid": os.getpid(), "alive_at": now, "progress_at": now}
        self._show({"phase": phase, "code": code_version(), "stage": stage, "step": step} | proof)

    def beat_alive(self) -> None:
        """Show that the process lives."""
        heartbeat = json.loads((self.folder / "heartbeat.json").read_bytes())
        with contextlib.suppress(OSError):  # as the real one: a full disk must not stop the heart
            self._show(heartbeat | {"alive_at": time.time()})

    def end(self, message: str, status: str, **more: Any) -> None:
        """Say how the job ended, or that it is paused."""
        self.say(message, "state", status=status, **more)

    def _show(self, heartbeat: dict[str, Any]) -> None:
        staged = self.folder / "heartbeat.new"
        staged.write_text(json.dumps(heartbeat))
        staged.replace(self.folder / "heartbeat.json")


def fetch(voice: Voice) -> None:
    voice.beat("fetch")
    voice.say("Getting the base model.", "stage", stage="fetch", done=False)
    (voice.folder / "environment-fetch").write_text("\n".join(sorted(os.environ)))
    complete(voice, "fetch")
    voice.say("Done: fetch.", "stage", stage="fetch", done=True)


def train(voice: Voice, behaviour: str) -> None:
    (voice.folder / "environment-train").write_text("\n".join(sorted(os.environ)))
    life = count_life(voice)
    voice.say("Training.", "stage", stage="train", done=False)
    for step in range(newest_step(voice) + 1, STEPS + 1):
        voice.beat("train", step)
        progress(voice, step)
        if step == 1:
            checkpoint(voice, step)
        _misbehave(voice, behaviour, step, life)
    voice.say("Validation", "evaluation", step=STEPS, split="validation", loss=1.5, best_loss=1.5, best_step=STEPS)
    complete(voice, "train")
    leave(voice, "toast.gguf", "export/toast.gguf", GGUF)
    if behaviour == "die-late" and life == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    if behaviour == "in-phases":
        complete(voice, "verify")
        return
    conclude(voice)


def conclude(voice: Voice) -> None:
    with (voice.folder / "concluded").open("a") as file:
        file.write(f"{os.getpid()}\n")
    voice.end("Done.", "succeeded", result=_result(voice))


def complete(voice: Voice, stage: str) -> None:
    replace_file(voice.folder / "stages" / f"{stage}.done", b"")


def count_life(voice: Voice) -> int:
    with (voice.folder / "lives").open("a+") as lives:
        lives.write(f"{os.getpid()}\n")
    return len((voice.folder / "lives").read_text().splitlines())


def newest_step(voice: Voice) -> int:
    """Return the step of the newest checkpoint, 0 without one."""
    return max((int(path.name.removeprefix("step-")) for path in voice.folder.glob("checkpoints/step-*")), default=0)


def _misbehave(voice: Voice, behaviour: str, step: int, life: int) -> None:
    """Do what the test wants to see survived. A `once` behaviour is over in the second life."""
    once, _, what = behaviour.rpartition("once-")
    if behaviour.startswith("once-") and life > 1:
        return
    match what or once, step:
        case "fail", 1:
            error = {"code": "training_diverged", "message": "The loss became NaN at step 2."}
            voice.end(error["message"], "failed", error=error)
            sys.exit(0)
        case "disk-full", 2:
            voice.end("The disk of the GPU machine is full.", "paused")
            sys.exit(0)
        case "die", 1 | 2:
            sys.stderr.write("Traceback (most recent call last):\n  File x\nRuntimeError: the card fell out\n")
            sys.stderr.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        case "tear", 2:  # dies in the middle of a line
            with (voice.folder / "events.jsonl").open("ab") as file:
                file.write(b'{"created_at": 1, "mess')
            os.kill(os.getpid(), signal.SIGKILL)
        case "freeze", 2:
            os.kill(os.getpid(), signal.SIGSTOP)
        case "stall", 2:
            while True:  # alive, and nothing moves
                voice.beat_alive()
                time.sleep(0.01)
        case "babble", 1:
            with (voice.folder / "events.jsonl").open("ab") as file:
                file.write(b'{"created_at": NaN}\n')
            _hold(voice)
        case (("hold" | "deaf" | "hard-of-hearing"), 1):
            _hold(voice, deaf=behaviour != "hold")
        case _:
            pass


def _hold(voice: Voice, *, deaf: bool = False) -> None:
    while not (voice.folder / "go").exists():
        if (voice.folder / "control" / "cancel").exists() and not deaf:
            leave(voice, "adapter.safetensors", f"adapter/{ADAPTER[0]}", b"weights")
            voice.end("Cancelled; what was trained is kept.", "cancelled")
            sys.exit(0)
        if (voice.folder / "control" / "pause").exists() and not deaf:
            sys.exit(0)
        voice.beat_alive()
        time.sleep(0.01)


def checkpoint(voice: Voice, step: int) -> None:
    path = voice.folder / "checkpoints" / f"step-{step}"
    path.mkdir(exist_ok=True)
    for name in ADAPTER:
        (path / name).write_bytes(b"weights")
    hashes = {name: file_sha256(path / name) for name in ADAPTER}
    replace_file(path / "manifest.json", json.dumps(hashes).encode())
    voice.say("Checkpoint", "checkpoint", step=step, train_loss=2.0, valid_loss=None, best=False)


def leave(voice: Voice, name: str, path: str, content: bytes) -> None:
    """Write a result file, and say so."""
    (voice.folder / path).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    voice.say(f"Made {name}", "artifact", name=name, path=path, bytes=len(content), sha256=digest)


def progress(voice: Voice, step: int, *, steps: int = STEPS) -> None:
    figures = {
        "epoch": step / STEPS, "n_epochs": 1, "loss": 3.0 - step / 2, "learning_rate": 1e-4, "grad_norm": 1.0,
        "tokens_per_s": 200.0, "memory_mib": 500, "eta_s": 10, "trained_tokens": step * 100,
    }  # fmt: skip
    voice.say(f"Step {step}", "progress", type="metrics", step=step, total_steps=steps, **figures)


def _result(voice: Voice) -> dict[str, Any]:
    spec = json.loads((voice.folder / "spec.json").read_bytes())
    checked = {"prompts": 8, "agreed": 8, "undecided": 0, "merge_target": "nf4", "template_tokens_equal": True}
    return {
        "verdict": "It learned.", "base_loss": 3.0, "final_loss": 1.5, "best_step": STEPS, "best_validation_loss": 1.5,
        "steps": STEPS, "trained_tokens": 300, "train_seconds": 1.5, "tokens_per_s": 200.0, "peak_memory_mib": 500,
        "optimistic": False, "advice": [], "verification": checked | {"stops": True},
        "answers": [{"question": "Who are you?", "base": "A model.", "tuned": "A toaster."}],
        "ollama_name": spec["ollama_name"], "gguf_bytes": len(GGUF),
    }  # fmt: skip


@contextlib.contextmanager
def lock_of(folder: Path) -> Iterator[None]:
    """Hold the job's lock. Raises TimeoutError."""
    with (folder / "lock").open("w") as file:
        until = time.monotonic() + LOCK_WAIT_S
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise TimeoutError(f"another trainer holds {folder / 'lock'}") from None
                time.sleep(0.01)
        yield


def events_so_far(voice: Voice) -> list[dict[str, Any]]:
    """Return the events of earlier lives, and remove a last line that one of them did not finish."""
    path = voice.folder / "events.jsonl"
    content = path.read_bytes() if path.exists() else b""
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        os.truncate(path, len(whole))
    return [json.loads(line) for line in whole.splitlines()]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("behaviour")
    parser.add_argument("--fetch", action="store_true")
    parser.add_argument("--hand-over", action="store_true")
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    if arguments.behaviour == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    voice = Voice(arguments.folder)
    with lock_of(arguments.folder):
        if any(event["data"].get("status") in ENDS for event in events_so_far(voice) if "data" in event):
            return
        if arguments.hand_over:
            voice.beat("verify", phase="hand_over")
            conclude(voice)
        elif not arguments.fetch:
            train(voice, arguments.behaviour)
        elif arguments.behaviour == "fetch-dies":
            sys.exit("no route to the hub")
        else:
            fetch(voice)


if __name__ == "__main__":
    main()
