"""What a job does, in order. The loop in __main__ knows none of it."""

import gc
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from agent.pipeline.context import Context
from shared.imports import collector_paused
from shared.jobs import Stage


@dataclass(frozen=True, kw_only=True)
class StageStep:
    """One stage: a module with `run(context)`, imported when its turn comes."""

    stage: Stage
    module: str
    networked: bool = False  # runs in a child of its own, with the network and the token of the hub for its models
    fresh_memory: bool = False  # starts in a process that holds no model

    def load(self) -> Callable[[Context], None]:
        """Import the stage; the heavy libraries come with it."""
        with collector_paused():
            run: Callable[[Context], None] = import_module(self.module).run
        if self.stage is Stage.load:
            gc.freeze()  # no model is there yet, and what is stays: the collector need not go through it at each batch
        return run


STAGES: tuple[StageStep, ...] = (
    StageStep(stage=Stage.fetch, module="agent.pipeline.fetch", networked=True),
    StageStep(stage=Stage.prepare, module="agent.pipeline.prepare"),
    StageStep(stage=Stage.load, module="agent.pipeline.load"),
    StageStep(stage=Stage.train, module="agent.pipeline.train"),
    StageStep(stage=Stage.evaluate, module="agent.pipeline.evaluate"),
    StageStep(stage=Stage.export, module="agent.pipeline.export", fresh_memory=True),
    StageStep(stage=Stage.verify, module="agent.pipeline.verify"),
)
