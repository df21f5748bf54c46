"""`make doctor`: what this machine can do, each line with what to do if it cannot."""

import importlib.metadata
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from agent.children.environment import child_environment
from agent.children.sandbox import landlock, own_network
from agent.errors import AgentError
from agent.machine.gpu import read_machine
from agent.settings import AgentSettings

LIBRARIES = ("torch", "transformers", "trl", "peft", "bitsandbytes", "gguf", "xllamacpp", "aiohttp", "sqlalchemy")
NEEDED_DISK_MIB = 4096
NEEDED_MEMORY_MIB = 3072
REINSTALL = "Run `make install` again; if it stays, the lines above it say why."

CONFINE_THEM = (
    "A child that reads a hostile file may reach what this user may. Linux 5.13 or newer with Landlock, and user "
    "namespaces for who is not root, would hold it to its own."
)
WITH_ADVICE = ("Trains on", "Children")  # something may be better there, and training works all the same

# Each probe runs in a process of its own: a library that crashes takes nothing with it.
PROBE_4BIT = """
import torch
from bitsandbytes.functional import dequantize_4bit, quantize_4bit
device = "cuda" if torch.cuda.is_available() else "cpu"
weight = torch.randn(256, 256, device=device)
packed, state = quantize_4bit(weight, quant_type="nf4", compress_statistics=True)
assert float((dequantize_4bit(packed, state) - weight).abs().mean()) < 0.2
print(f"on the {'GPU' if device == 'cuda' else 'CPU'}")
"""
PROBE_TORCH = """
import torch
if torch.cuda.is_available():
    print(f"CUDA {torch.version.cuda}, {'bf16' if torch.cuda.is_bf16_supported() else 'fp16'}")
else:
    print("CPU, fp32")
"""
PROBE_GGUF = """
from agent.base_models.llama_cpp import import_conversion, import_gguf
import numpy
gguf, conversion = import_gguf(), import_conversion()
for family in ("Llama", "Qwen2", "Gemma2", "Phi3", "Mistral"):
    conversion.get_model_class(family + "ForCausalLM")
gguf.quants.quantize(numpy.zeros((1, 32), dtype=numpy.float32), gguf.GGMLQuantizationType.Q8_0)
print("llama.cpp's converter, Q8_0")
"""
PROBE_LLAMA = """
import importlib.metadata
import xllamacpp
xllamacpp.CommonParams()
print(f"xllamacpp {importlib.metadata.version('xllamacpp')}, loaded")
"""
PROBE_MODEL = """
from agent.base_models.catalog import PACKAGED, find_base_model
from agent.settings import AgentSettings
import pathlib
print(f"{PACKAGED}, {pathlib.Path(find_base_model(PACKAGED, AgentSettings()).location).stat().st_size >> 20} MiB")
"""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line of the answer."""

    ok: bool
    what: str
    found: str
    remedy: str = ""


def examine(settings: AgentSettings) -> Iterator[Finding]:
    """Yield the findings, the cheap ones first."""
    settings.hearth_data_dir.mkdir(parents=True, exist_ok=True)
    machine = read_machine(settings.hearth_data_dir)
    version = platform.python_version()
    yield Finding(ok=sys.version_info >= (3, 11), what="Python", found=version, remedy="Install Python 3.11 or newer.")
    has_gpu = machine.device == "cuda"
    yield Finding(
        ok=True,
        what="Trains on",
        found=machine.name,
        remedy="" if has_gpu else "No NVIDIA GPU seen: small models train on the CPU, slowly. That is enough to try.",
    )
    yield Finding(
        ok=machine.memory_free_mib >= NEEDED_MEMORY_MIB,
        what="GPU memory" if has_gpu else "Memory",
        found=f"{machine.memory_free_mib / 1024:.1f} of {machine.memory_total_mib / 1024:.1f} GiB free",
        remedy="3 GiB are needed for the smallest model. Close what else uses it.",
    )
    yield Finding(
        ok=machine.disk_free_mib >= NEEDED_DISK_MIB,
        what="Disk",
        found=f"{machine.disk_free_mib / 1024:.1f} GiB free in {settings.hearth_data_dir}",
        remedy="4 GiB are needed. Free some, or point HEARTH_DATA_DIR to a larger disk.",
    )
    yield examine_sandbox(settings)
    yield examine_library("PyTorch", PROBE_TORCH, REINSTALL)
    yield examine_library(
        "4-bit (NF4)", PROBE_4BIT, "bitsandbytes does not run here; plan with load_in_4bit:false. " + REINSTALL
    )
    yield examine_library("GGUF export", PROBE_GGUF, REINSTALL)
    yield examine_library("llama.cpp", PROBE_LLAMA, "xllamacpp has wheels for x86-64 and arm64 alone. " + REINSTALL)
    yield examine_library("Packaged model", PROBE_MODEL, REINSTALL)
    versions = ", ".join(f"{name} {_version(name)}" for name in LIBRARIES)
    yield Finding(ok="missing" not in versions, what="Versions", found=versions, remedy=REINSTALL)


def examine_sandbox(settings: AgentSettings) -> Finding:
    """Say what holds a child to its own files and network. Training works without it, too."""
    files = f"own files alone (Landlock {landlock()})" if landlock() else "no Landlock"
    network = "own network" if own_network() else "no network namespace"
    if not settings.hearth_sandbox:
        return Finding(ok=True, what="Children", found="not confined (HEARTH_SANDBOX)", remedy=CONFINE_THEM)
    confined = bool(landlock()) and own_network()
    return Finding(ok=True, what="Children", found=f"{files}, {network}", remedy="" if confined else CONFINE_THEM)


def examine_library(what: str, code: str, remedy: str) -> Finding:
    """Run a probe in a process of its own and say what came of it."""
    run: Callable[..., subprocess.CompletedProcess[str]] = subprocess.run
    try:
        done = run(
            [sys.executable, "-c", code],
            capture_output=True, text=True, timeout=180, check=False, env=child_environment(offline=True),
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Finding(ok=False, what=what, found="no answer within 3 minutes", remedy=remedy)
    if done.returncode == 0:
        return Finding(ok=True, what=what, found=done.stdout.strip().splitlines()[-1])
    last = (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]
    return Finding(ok=False, what=what, found=last[:160], remedy=remedy)


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "missing"


def main() -> None:
    """Print the findings; exit 1 when something needed is missing."""
    failed = 0
    try:
        for finding in examine(AgentSettings()):
            failed += not finding.ok
            print(f"{'ok  ' if finding.ok else 'FAIL'}  {finding.what:<15} {finding.found}")
            if finding.remedy and (not finding.ok or finding.what in WITH_ADVICE):
                print(f"      {'':<15} {finding.remedy}")
    except AgentError as error:
        sys.exit(error.message)
    print("Ready: `make demo` plays the whole story." if not failed else f"{failed} to mend before training works.")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
