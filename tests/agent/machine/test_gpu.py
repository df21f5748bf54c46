"""What is read of a machine, with NVML played: most machines that run these tests have no GPU."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pynvml
import pytest

from agent.machine.gpu import MIB, NO_MEMORY_FIGURE, first_visible_gpu, read_machine

UUIDS = ("GPU-aaaa-1", "GPU-bbbb-2")
MEMORY = SimpleNamespace(total=24 * 1024 * MIB, free=20 * 1024 * MIB)


def fails(error: type[Exception]) -> Callable[..., Any]:
    def call(*_: object) -> Any:
        raise error

    return call


def by_index(index: int) -> int:
    if index >= len(UUIDS):
        raise pynvml.NVMLError_InvalidArgument
    return index


@pytest.fixture
def nvml(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[..., Any]], None]:
    """A driver with two GPUs; call it to replace one of its queries."""

    def replace(name: str, call: Callable[..., Any]) -> None:
        monkeypatch.setattr(pynvml, name, call)

    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    replace("nvmlInit", lambda: None)
    replace("nvmlShutdown", lambda: None)
    replace("nvmlDeviceGetCount", lambda: len(UUIDS))
    replace("nvmlDeviceGetHandleByIndex", by_index)
    replace("nvmlDeviceGetHandleByUUID", fails(pynvml.NVMLError_NotFound))
    replace("nvmlDeviceGetUUID", lambda handle: UUIDS[handle])
    replace("nvmlDeviceGetName", lambda handle: f"Card {handle}")
    replace("nvmlDeviceGetMemoryInfo", lambda _: MEMORY)
    replace("nvmlDeviceGetTemperature", lambda *_: 40)
    return replace


Nvml = Callable[[str, Callable[..., Any]], None]


def test_first_gpu_is_read(nvml: Nvml, tmp_path: Path) -> None:
    machine = read_machine(tmp_path)
    assert (machine.device, machine.name, machine.gpu, machine.temperature_c) == ("cuda", "Card 0", "0", 40)
    assert (machine.memory_total_mib, machine.memory_free_mib) == (24 * 1024, 20 * 1024)


@pytest.mark.parametrize(
    ("visible", "name"), [("1,0", "Card 1"), ("GPU-bbbb-2,GPU-aaaa-1", "Card 1"), ("GPU-b", "Card 1"), ("0", "Card 0")]
)
def test_gpu_that_is_read_is_the_one_a_trainer_sees(
    nvml: Nvml, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, visible: str, name: str
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    machine = read_machine(tmp_path)
    assert (machine.name, machine.gpu) == (name, visible.partition(",")[0])


@pytest.mark.parametrize("visible", ["", "-1", "7", "GPU-none", "MIG-none", "nonsense"])
def test_no_visible_gpu_is_a_cpu(nvml: Nvml, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, visible: str) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    machine = read_machine(tmp_path)
    assert (machine.device, machine.gpu) == ("cpu", None)


def test_driver_without_a_gpu_is_a_cpu(nvml: Nvml, tmp_path: Path) -> None:
    nvml("nvmlDeviceGetHandleByIndex", fails(pynvml.NVMLError_InvalidArgument))
    assert read_machine(tmp_path).device == "cpu"


@pytest.mark.parametrize("error", NO_MEMORY_FIGURE)
def test_gpu_without_a_memory_figure_is_a_cpu(nvml: Nvml, tmp_path: Path, error: type[Exception]) -> None:
    nvml("nvmlDeviceGetMemoryInfo", fails(error))
    machine = read_machine(tmp_path)
    assert machine.device == "cpu"
    assert machine.memory_total_mib > 0


def test_gpu_without_a_thermometer_or_a_name_is_a_gpu(nvml: Nvml, tmp_path: Path) -> None:
    nvml("nvmlDeviceGetTemperature", fails(pynvml.NVMLError_NotSupported))
    nvml("nvmlDeviceGetName", fails(pynvml.NVMLError_NotSupported))
    nvml("nvmlShutdown", fails(pynvml.NVMLError_Unknown))
    machine = read_machine(tmp_path)
    assert (machine.device, machine.temperature_c, machine.name) == ("cuda", None, "NVIDIA GPU")


def test_first_of_an_inherited_list_is_used_and_the_first_of_all_without_one() -> None:
    assert [first_visible_gpu(visible) for visible in (None, "3, 1", "GPU-a,GPU-b", "")] == ["0", "3", "GPU-a", None]
