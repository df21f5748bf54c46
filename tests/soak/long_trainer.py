"""The trainer without torch, for longer: 40 steps of 20 ms with a checkpoint at every fifth. Arguments as its."""

import argparse
import time
from pathlib import Path

from filelock import FileLock

from agent.job_folder.checkpoint_files import newest_valid
from agent.job_folder.durable import replace_file
from agent.job_folder.events import cut_torn_line
from agent.job_folder.folder import JobFolder
from shared.events import StageData, StateData
from shared.jobs import JobStatus, Stage
from tests.fakes.trainer import GGUF, Voice, _checkpoint, _count_life, _leave, _progress, _result, fetch

STEPS = 40
INTERVAL = 5  # steps between checkpoints
STEP_S = 0.02


def train(voice: Voice) -> None:
    folder = voice.folder
    spec = folder.read_spec()
    _count_life(folder)
    voice.say("Training.", StageData(stage=Stage.train, done=False))
    newest = newest_valid(folder.checkpoints)
    for step in range((newest.step if newest else 0) + 1, STEPS + 1):
        time.sleep(STEP_S)
        voice.beat(Stage.train, step)
        voice.say(f"Step {step}", _progress(step).model_copy(update={"total_steps": STEPS}), metrics=True)
        if step % INTERVAL == 0:
            _checkpoint(voice, step)
    replace_file(folder.stage_marker(Stage.train), b"")
    _leave(voice, "toast.gguf", folder.export / "toast.gguf", GGUF)
    voice.say("Done.", StateData(status=JobStatus.succeeded, result=_result(spec)))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("behaviour")
    parser.add_argument("--fetch", action="store_true")
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    folder = JobFolder(path=arguments.folder)
    with FileLock(folder.lock).acquire(timeout=10):
        cut_torn_line(folder.events)
        voice = Voice(folder)
        (fetch if arguments.fetch else train)(voice)


if __name__ == "__main__":
    main()
