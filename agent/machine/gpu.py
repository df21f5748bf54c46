"""What this machine has: the GPU's name, memory and temperature through NVML, without torch. Never raises for a GPU."""

import contextlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psutil
import pynvml

from shared.language import _

MIB = 1024 * 1024
# What nvmlDeviceGetMemoryInfo may say instead of a figure: memory shared with the CPU has none (NotSupported).
NO_MEMORY_FIGURE = (
    pynvml.NVMLError_NotSupported,
    pynvml.NVMLError_NoPermission,
    pynvml.NVMLError_InvalidArgument,
    pynvml.NVMLError_GpuIsLost,
    pynvml.NVMLError_Unknown,
)


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A reading of the machine that plans are made for."""

    device: Literal["cuda", "cpu"]
    name: str  # "NVIDIA GeForce RTX 4090", "CPU (2 cores)"
    cores: int
    memory_total_mib: int  # the GPU's, or the machine's
    memory_free_mib: int
    disk_free_mib: int
    ram_free_mib: int | None = None
    temperature_c: int | None = None
    gpu: str | None = None  # the one that was read, as CUDA_VISIBLE_DEVICES names it

    @property
    def memory_kind(self) -> Literal["GPU", "RAM"]:
        """Return whose memory the figures are."""
        return "GPU" if self.device == "cuda" else "RAM"


def usable_cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def read_machine(data_dir: Path) -> Machine:
    """Read the first GPU that is ours, or the CPU where none can be used; free disk is that of `data_dir`."""
    disk_free_mib = shutil.disk_usage(data_dir).free // MIB
    cores = usable_cores()
    gpu = first_visible_gpu(os.environ.get("CUDA_VISIBLE_DEVICES"))
    reading = _read_gpu(gpu) if gpu is not None else None
    if gpu is not None and reading is not None:
        return Machine(
            device="cuda",
            name=reading.name,
            cores=cores,
            memory_total_mib=reading.memory_total_mib,
            memory_free_mib=reading.memory_free_mib,
            disk_free_mib=disk_free_mib,
            ram_free_mib=psutil.virtual_memory().available // MIB,
            temperature_c=reading.temperature_c,
            gpu=gpu,
        )
    memory = psutil.virtual_memory()
    return Machine(
        device="cpu",
        name=_("CPU ({cores} cores)", cores=cores),
        cores=cores,
        memory_total_mib=memory.total // MIB,
        memory_free_mib=memory.available // MIB,
        disk_free_mib=disk_free_mib,
        ram_free_mib=memory.available // MIB,
    )


def make_device_nodes() -> None:
    """Let the driver make the nodes that CUDA needs: a confined child may not, and the first use after a boot does."""
    helper = shutil.which("nvidia-modprobe")
    if helper is not None and not Path("/dev/nvidia-uvm").exists():
        subprocess.run([helper, "-u", "-c", "0"], check=False, timeout=30)


def first_visible_gpu(visible: str | None) -> str | None:
    """Return the one GPU to use, given CUDA_VISIBLE_DEVICES: a number or a UUID; None where it hides them all."""
    if visible is None:
        return "0"
    first = visible.partition(",")[0].strip()
    return None if first in {"", "-1", "NoDevFiles"} else first


@dataclass(frozen=True, kw_only=True)
class _Gpu:
    name: str
    memory_total_mib: int
    memory_free_mib: int
    temperature_c: int | None


def _read_gpu(gpu: str) -> _Gpu | None:
    """Read one GPU through NVML; None without a driver, a device or a memory figure."""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    try:
        handle = _handle_of(gpu)
        memory = pynvml.nvmlDeviceGetMemoryInfo(handle) if handle is not None else None
        if memory is None:
            return None
        return _Gpu(
            name=_name(handle),
            memory_total_mib=int(memory.total) // MIB,
            memory_free_mib=int(memory.free) // MIB,
            temperature_c=_temperature_c(handle),
        )
    except NO_MEMORY_FIGURE:
        return None
    finally:
        with contextlib.suppress(pynvml.NVMLError):
            pynvml.nvmlShutdown()


def _handle_of(gpu: str) -> Any:
    """Find a GPU by its number or its UUID, which may be cut short; None: there is no such device."""
    try:
        if gpu.isascii() and gpu.isdigit():
            return pynvml.nvmlDeviceGetHandleByIndex(int(gpu))
        if not gpu.startswith("GPU-"):
            return pynvml.nvmlDeviceGetHandleByUUID(gpu)
        handles = map(pynvml.nvmlDeviceGetHandleByIndex, range(pynvml.nvmlDeviceGetCount()))
        return next((each for each in handles if _text(pynvml.nvmlDeviceGetUUID(each)).startswith(gpu)), None)
    except pynvml.NVMLError:
        return None


def _name(handle: Any) -> str:
    try:
        return _text(pynvml.nvmlDeviceGetName(handle))
    except pynvml.NVMLError:
        return "NVIDIA GPU"


def _temperature_c(handle: Any) -> int | None:
    try:
        return int(pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU))
    except pynvml.NVMLError:
        return None


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
