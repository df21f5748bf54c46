"""What each child may reach, and the command that holds it to that."""

import json
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from agent.children import confine

CONFINE = str(Path(confine.__file__))
PACKAGES = ("agent", "shared")  # of ours; whatever else lies beside them, `.env` among it, is nobody's business
ROOT = Path(__file__).resolve().parents[2]  # its files are listed when a package is looked for, and not read
SYSTEM = (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store", "/opt/cuda",
    "/opt/rocm", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/ld.so.preload", "/etc/localtime",
    "/etc/timezone", "/etc/alternatives", "/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/etc/fonts", "/etc/OpenCL",
    "/etc/nvidia", "/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf", "/etc/resolv.conf", "/etc/gai.conf",
    "/etc/services", "/etc/passwd", "/etc/group", "/etc/os-release", "/etc/mime.types",
    "/proc", "/sys", "/run/opengl-driver", "/run/nvidia-persistenced", "/run/systemd/resolve",
)  # fmt: skip
DEVICES = ("null", "zero", "full", "random", "urandom", "shm", "dxg", "kfd", "dri", "nvidia-uvm", "nvidia-uvm-tools")


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What one child may reach beside the system, the interpreter and its libraries."""

    read: tuple[Path, ...] = ()
    write: tuple[Path, ...] = ()
    network: bool = False  # else it has its own loopback alone


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """Confines commands; switched off, it lets them be."""

    on: bool = True
    also: tuple[Path, ...] = field(default=())  # what all may read: the stand-ins of tests

    def wrap(self, command: Sequence[str], policy: Policy) -> tuple[str, ...]:
        """Return the command that runs `command` under the policy."""
        if not self.on or not (landlock() or own_network()):
            return tuple(command)
        allowed = {
            "list": [str(ROOT)],
            "read": [*_texts(policy.read), *_texts(self.also), *_readable()],
            "write": [*_texts(policy.write), *_devices()],
            "alone": not policy.network,
        }
        return (sys.executable, "-I", "-S", CONFINE, json.dumps(allowed), *command)


@cache
def landlock() -> int:
    """Return the version of Landlock of this kernel; 0: none, so that a child may read what the agent may."""
    return confine.landlock_version()


@cache
def own_network() -> bool:
    """Say whether a child can be given a network of its own: tried once, in a process that is thrown away."""
    if sys.platform != "linux":
        return False
    done = subprocess.run([sys.executable, "-I", "-S", CONFINE, confine.PROBE], capture_output=True, check=False)
    return done.returncode == 0


@cache
def _readable() -> list[str]:
    """Return what every child reads: the system, the interpreter, its libraries, our packages."""
    interpreter = {
        Path(sys.prefix),
        Path(sys.base_prefix),
        Path(sys.exec_prefix),
        Path(sys.executable).resolve().parent,
    }
    interpreter |= {
        Path(path) for name, path in sysconfig.get_paths().items() if name in ("stdlib", "purelib", "platlib")
    }
    libraries = {Path(entry) for entry in sys.path if entry.endswith("-packages")}  # not where the agent was started
    packages = [ROOT / package for package in PACKAGES]
    return [*SYSTEM, *_texts({*interpreter, *libraries}), *_texts(packages)]


def _devices() -> list[str]:
    """Return the devices that a child opens: those of a GPU, and what every program needs."""
    return [f"/dev/{name}" for name in DEVICES] + [str(path) for path in Path("/dev").glob("nvidia*")]


def _texts(paths: Iterable[Path]) -> list[str]:
    return [str(path) for path in paths]
