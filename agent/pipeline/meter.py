"""How fast a training goes, and how much memory it has had."""

import sys
import time
from pathlib import Path

import psutil
import torch

from agent.machine.gpu import MIB

if sys.platform != "win32":
    import resource

STATUS = Path("/proc/self/status")


class SpeedMeter:
    """Real tokens a second and seconds a step, with evaluations and checkpoints taken out."""

    def __init__(self) -> None:
        self._last = time.monotonic()
        self._seconds = 0.0
        self._tokens = 0
        self._steps = 0

    def start(self) -> None:
        """Begin to count."""
        self._last = time.monotonic()

    def step(self, real_tokens: int) -> None:
        """Note a step; `real_tokens` counts from the start."""
        now = time.monotonic()
        self._seconds += now - self._last
        self._last = now
        self._tokens = real_tokens
        self._steps += 1

    def pause_until_now(self) -> None:
        """Leave out what happened since the last step."""
        self._last = time.monotonic()

    @property
    def seconds(self) -> float:
        """Return the seconds spent in steps."""
        return self._seconds

    @property
    def tokens_a_second(self) -> float | None:
        """Return real tokens a second; None before the first step."""
        return round(self._tokens / self._seconds, 1) if self._seconds > 0 else None

    @property
    def seconds_a_step(self) -> float | None:
        """Return the mean seconds a step; None before the first."""
        return self._seconds / self._steps if self._steps else None


def peak_memory_mib(device: str) -> int:
    """Return the most memory this process has had: the GPU's, or resident."""
    if device == "cuda":
        return int(torch.cuda.max_memory_reserved()) // MIB
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset) // MIB
    if STATUS.exists():  # Linux: of this program alone; in rusage counts what it was before an exec
        return int(STATUS.read_text(encoding="ascii", errors="replace").partition("VmHWM:")[2].split()[0]) // 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // MIB if sys.platform == "darwin" else peak // 1024  # macOS counts bytes
