"""The trainer without torch, for longer: 40 steps of 20 ms with a checkpoint at every fifth. Arguments as its."""

import argparse
import time
from pathlib import Path

from agent.job_folder.checkpoint_files import newest_valid
from tests.fakes.trainer import (
    GGUF,
    Voice,
    checkpoint,
    complete,
    conclude,
    count_life,
    events_so_far,
    fetch,
    leave,
    lock_of,
    progress,
)  # fmt: skip

STEPS = 40
INTERVAL = 5  # steps between checkpoints
STEP_S = 0.02


def train(voice: Voice) -> None:
    count_life(voice)
    voice.say("Training.", "stage", stage="train", done=False)
    newest = newest_valid(voice.folder / "checkpoints")
    for step in range((newest.step if newest else 0) + 1, STEPS + 1):
        time.sleep(STEP_S)
        voice.beat("train", step)
        progress(voice, step, steps=STEPS)
        if step % INTERVAL == 0:
            checkpoint(voice, step)
    complete(voice, "train")
    leave(voice, "toast.gguf", "export/toast.gguf", GGUF)
    conclude(voice)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("behaviour")
    parser.add_argument("--fetch", action="store_true")
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    with lock_of(arguments.folder):
        voice = Voice(arguments.folder)
        events_so_far(voice)
        (fetch if arguments.fetch else train)(voice)


if __name__ == "__main__":
    main()
