"""Who gives way to whom: processor time to the person at the machine, memory from readers first to trainers last."""

import contextlib
import os
from enum import IntEnum
from pathlib import Path

import psutil

NICENESS = 10  # whoever sits at the machine comes first


class OomScore(IntEnum):
    """Which process goes first when memory runs out (Linux): the highest, and the agent, at 0, last."""

    READER = 900  # what it reads is a stranger's file
    CHAT = 800  # it has nothing to lose
    TRAINER = 500  # it has checkpoints; GitHub's runner gives its jobs as much


def offer_to_oom_killer(pid: int, score: OomScore) -> None:
    """Make the process go before the agent when memory runs out."""
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/oom_score_adj").write_text(str(int(score)), encoding="ascii")


def lower_priority(pid: int) -> None:
    """Make the process nice; one that is gone already does not mind."""
    try:
        psutil.Process(pid).nice(NICENESS if os.name == "posix" else getattr(psutil, "BELOW_NORMAL_PRIORITY_CLASS", 0))
    except psutil.Error:
        return
