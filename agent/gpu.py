"""What this machine has: the GPU's name, memory and temperature through NVML, without torch."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil
import pynvml

MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A reading of the machine that plans are made for."""

    device: Literal["cuda", "cpu"]
    name: str  # "NVIDIA GeForce RTX 4090", "CPU (2 cores)"
    cores: int
    memory_total_mib: int  # the GPU's, or the machine's
    memory_free_mib: int
    disk_free_mib: int
    temperature_c: int | None = None

    @property
    def memory_kind(self) -> Literal["GPU", "RAM"]:
        """Return whose memory the figures are."""
        return "GPU" if self.device == "cuda" else "RAM"


def read_machine(data_dir: Path) -> Machine:
    """Read the first GPU, or the CPU where there is none; free disk is that of `data_dir`."""
    disk_free_mib = shutil.disk_usage(data_dir).free // MIB
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        memory = psutil.virtual_memory()
        return Machine(
            device="cpu",
            name=f"CPU ({cores} cores)",
            cores=cores,
            memory_total_mib=memory.total // MIB,
            memory_free_mib=memory.available // MIB,
            disk_free_mib=disk_free_mib,
        )
    try:
        handle = pynvml.nvmlDeviceGetHandleByIndex(0)
        memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
        return Machine(
            device="cuda",
            name=str(pynvml.nvmlDeviceGetName(handle)),
            cores=cores,
            memory_total_mib=int(memory.total) // MIB,
            memory_free_mib=int(memory.free) // MIB,
            disk_free_mib=disk_free_mib,
            temperature_c=int(pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU)),
        )
    finally:
        pynvml.nvmlShutdown()
