"""The places where jobs train. So far one: the machine that the agent runs on."""

from dataclasses import dataclass

from agent.machine.gpu import Machine

LOCAL = "local"  # the agent's own machine, also where the database was moved to another


@dataclass(frozen=True, kw_only=True)
class Worker:
    """One GPU, or the CPU, of one machine. It has at most one job at a time."""

    name: str  # never changes: jobs are stored with it
    device: str  # "NVIDIA GeForce RTX 4090", "CPU (2 cores)"
    memory_mib: int  # of the GPU, or RAM


def worker_of(machine: Machine, name: str = LOCAL) -> Worker:
    """Return a machine as a worker."""
    return Worker(name=name, device=machine.name, memory_mib=machine.memory_total_mib)
