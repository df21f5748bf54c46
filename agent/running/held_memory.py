"""What our own processes hold of the machine's memory: a job that waits behind them starts only once it is free."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from agent.job_folder.folder import JobFolder
from agent.machine.gpu import MIB, Machine
from agent.running.trainer_process import is_trainer_of
from agent.scheduling.worker import LOCAL
from agent.store import Store, running_jobs


@dataclass(frozen=True, kw_only=True)
class HeldMemory:
    """MiB that are free again once the running job has ended and the chat's model is put away."""

    gpu_mib: int = 0
    ram_mib: int = 0


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A process of ours, and what it is known to hold of a GPU: only its driver sees that from outside."""

    pid: int
    gpu_mib: int = 0


AsksWhatIsHeld = Callable[[Store], Awaitable[HeldMemory]]


async def nothing_held(_store: Store) -> HeldMemory:
    """Return nothing: for an agent that holds no memory of its own."""
    return HeldMemory()


async def held_now(store: Store, *, jobs_dir: Path, chat: Callable[[], Holder | None] = lambda: None) -> HeldMemory:
    """Return what the running job's trainer and the chat's model hold now."""
    job = await store.run(running_jobs.occupant, LOCAL)
    trainer = await asyncio.to_thread(_trainer_in, JobFolder(path=jobs_dir / job.id), job.gpu_mib) if job else None
    holders = [holder for holder in (trainer, chat()) if holder is not None]
    ram_mib = [await asyncio.to_thread(own_ram_mib, holder.pid) for holder in holders]
    return HeldMemory(gpu_mib=sum(holder.gpu_mib for holder in holders), ram_mib=sum(ram_mib))


def once_free(machine: Machine, held: HeldMemory) -> Machine:
    """Return the machine as it will be once all that is held is free again. Pure."""
    mine = held.gpu_mib if machine.device == "cuda" else held.ram_mib
    free = min(machine.memory_total_mib, machine.memory_free_mib + mine)
    ram = None if machine.ram_free_mib is None else machine.ram_free_mib + held.ram_mib
    return replace(machine, memory_free_mib=free, ram_free_mib=ram)


def own_ram_mib(pid: int) -> int:
    """Return the RAM that is free again once a process and its children end; 0 where there is no such process."""
    try:
        process = psutil.Process(pid)
        return sum(map(_private_bytes, [process, *process.children(recursive=True)])) // MIB
    except psutil.Error:
        return 0


def _private_bytes(process: psutil.Process) -> int:
    # Pages of files are counted as available already: those of weights that are read where they lie.
    memory = process.memory_info()
    return int(memory.rss - getattr(memory, "shared", 0))


def _trainer_in(folder: JobFolder, gpu_mib: int) -> Holder | None:
    heartbeat = folder.read_heartbeat()
    if heartbeat is None or not is_trainer_of(folder, heartbeat.pid):
        return None
    return Holder(pid=heartbeat.pid, gpu_mib=gpu_mib)
