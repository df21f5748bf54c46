"""What our own trainer and chat hold is free for the job that comes after."""

import asyncio
import subprocess
import sys
from dataclasses import replace
from typing import Any

import psutil
import pytest

from agent.machine.gpu import Machine
from agent.running.held_memory import HeldMemory, Holder, held_now, once_free, own_ram_mib
from agent.settings import AgentSettings
from tests.agent.fake_inspector import MODEL
from tests.agent.plan.cases import SMALLEST
from tests.agent.running_agent import GPU, MACHINE, Agent, run_agent

pytestmark = pytest.mark.process

SMALL_GPU = replace(GPU, memory_total_mib=8192, memory_free_mib=1000, ram_free_mib=3000)
HELD = HeldMemory(gpu_mib=2000, ram_mib=300)


def test_what_is_held_comes_back_where_it_is_held_and_never_beyond_the_whole() -> None:
    gpu, cpu = once_free(SMALL_GPU, HELD), once_free(MACHINE, HELD)
    assert (gpu.memory_free_mib, gpu.ram_free_mib) == (3000, 3300)
    assert cpu.memory_free_mib == MACHINE.memory_free_mib + 300
    assert once_free(SMALL_GPU, HeldMemory(gpu_mib=20_000)).memory_free_mib == 8192


def test_the_memory_of_a_process_is_its_own_and_that_of_its_children() -> None:
    code = "x = bytearray(200 * 2**20); print(len(x), flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert 200 <= own_ram_mib(process.pid) < 300
        process.kill()
    assert own_ram_mib(process.pid) == 0


async def plan(agent: Agent) -> dict[str, Any]:
    body = {"model": MODEL, "training_file": await agent.upload(), "suffix": "toast"}
    async with agent.http.post("/v1/fine_tuning/plans", json=body) as response:
        found: dict[str, Any] = await response.json()
        assert response.status == 200, found
    return found


async def test_a_plan_behind_a_running_job_has_the_gpu_that_this_one_gives_back(settings: AgentSettings) -> None:
    free_mib = 8000

    def shared_gpu() -> Machine:
        return replace(SMALL_GPU, memory_free_mib=free_mib)

    async with run_agent(settings, "hold", machine=shared_gpu, shape=SMALLEST.shape) as agent:
        job_id = await agent.create()
        await agent.until_step(job_id)
        free_mib = 700  # the trainer has said that it holds 500
        behind = await plan(agent)
        assert (behind["memory_free_mib"], behind["queue_position"]) == (1200, 2)
        assert behind["memory_mib"]["high"] > 700
        async with agent.http.get("/v1/models") as response:
            (model,) = (await response.json())["data"]
        assert 700 < model["memory_mib"] < 1200
        assert model["fits"]
        agent.go_on(job_id)
        await agent.until_status(job_id, "succeeded")
        free_mib = 1100
        assert (await plan(agent))["memory_free_mib"] == 1100  # nobody gives any back now


async def test_in_ram_the_processes_themselves_are_looked_at(settings: AgentSettings) -> None:
    async with run_agent(settings, "hold") as agent:
        job_id = await agent.create()
        await agent.until_step(job_id)
        (pid,) = agent.lives(job_id)
        held = await held_now(agent.store, jobs_dir=settings.jobs_dir)
        assert held.gpu_mib == 0
        assert 5 <= held.ram_mib <= await asyncio.to_thread(lambda: psutil.Process(pid).memory_info().rss) / 2**20
        both = await held_now(agent.store, jobs_dir=settings.jobs_dir, chat=lambda: Holder(pid=pid, gpu_mib=40))
        assert both.gpu_mib == 40
        assert both.ram_mib >= 2 * held.ram_mib - 2
        agent.go_on(job_id)
        await agent.until_status(job_id, "succeeded")
        assert await held_now(agent.store, jobs_dir=settings.jobs_dir) == HeldMemory()
