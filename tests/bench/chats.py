"""Both chats connected to one bot: its memory while 20 live cards go on, and how soon each command is acknowledged."""

import asyncio
import contextlib
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from agent.machine.gpu import MIB
from bot.commands import COMMANDS
from shared.events import EvaluationData
from tests.bench.figure import Bar, Figure, median
from tests.bench.processes import busy_cores, sleeping_machine
from tests.bot.process import ROOT, bot_process, environment, on_discord, on_telegram
from tests.fakes import discord_server, telegram_server
from tests.fakes.agent_server import FakeAgent, running_agent
from tests.fakes.discord_server import FakeDiscord, running_discord
from tests.fakes.telegram_server import FakeTelegram, running_telegram

CARDS = 20
UPDATES, EVERY_S = 60, 0.5  # steps of each job
PLOT_EVERY = 10  # steps
WAIT_S = 60.0
PLOT = ROOT / "deploy" / "phone.png"  # a picture as large as a plot
NOBODY = "http://127.0.0.1:1"
A_SECOND = Bar(limit=1.0)

Found = dict[str, list[tuple[float, str]]]  # by situation: seconds, and of which command


@dataclass(frozen=True, kw_only=True)
class Both:
    """One bot and the two servers that it is connected to."""

    telegram: FakeTelegram
    discord: FakeDiscord
    process: Process
    start_s: float  # from its spawn until it serves both


def run(work: Path, rounds: int) -> Iterator[Figure]:
    """Measure the chats."""
    work.mkdir(parents=True)
    yield from asyncio.run(_cards(work, rounds))
    yield from asyncio.run(_commands(work, rounds))


@asynccontextmanager
async def connected(folder: Path, url: str) -> AsyncIterator[Both]:
    """Run a bot on both platforms against an agent's address."""
    await asyncio.to_thread(folder.mkdir)
    async with running_telegram(time.time) as telegram, running_discord(time.time) as discord:
        settings = environment(folder, url, **on_telegram(telegram), **on_discord(discord))
        began = time.perf_counter()
        async with bot_process(folder, settings, limit_s=10 * WAIT_S) as process:
            await until(lambda: "getUpdates" in telegram.called and discord.gateway.connected and discord.rest.commands)
            start_s = time.perf_counter() - began
            yield Both(telegram=telegram, discord=discord, process=process, start_s=start_s)


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not holds():  # noqa: ASYNC110 -- another process makes it so
            await asyncio.sleep(0.001)


# --- memory


async def _cards(work: Path, rounds: int) -> list[Figure]:
    starts, resident, edits = [], [], []
    for number in range(rounds):
        async with running_agent(int(time.time())) as agent, connected(work / f"cards-{number}", agent.url) as both:
            agent.plot = PLOT.read_bytes()
            starts.append(both.start_s)
            for card in range(CARDS // 2):
                await _start_on_telegram(both, agent, card)
                await _start_on_discord(both, agent, card)
            resident.append(await _most_resident_mib(both, agent))
            edits.append(_edits(both))
    told = f"{CARDS} live cards edited {median(edits):.0f} times in {UPDATES * EVERY_S:.0f} s"
    return [
        Figure(what="bot start, to both chats connected", ours=median(starts), unit="s", bar=Bar(limit=2.0)),
        Figure(what=f"bot resident at most, both chats connected, {told}", ours=median(resident), unit="MiB",
               bar=Bar(limit=120.0)),
    ]  # fmt: skip


async def _start_on_telegram(both: Both, agent: FakeAgent, number: int) -> None:
    person, jobs = telegram_server.Person(both.telegram, 100 + number, f"Person {number}"), len(agent.jobs)
    person.say(f"/finetune sample name:t{number}")
    await until(lambda: any("Start" in message.labels for message in both.telegram.messages(person.id)))
    person.press("Start")
    await until(lambda: len(agent.jobs) > jobs)


async def _start_on_discord(both: Both, agent: FakeAgent, number: int) -> None:
    person, jobs = discord_server.Person(both.discord, 100 + number, f"Person {number}"), len(agent.jobs)
    await person.slash("finetune", options="sample", name=f"d{number}")
    await until(lambda: any("Start" in message.labels for message in both.discord.messages(person.direct)))
    await person.press("Start")
    await until(lambda: len(agent.jobs) > jobs)


async def _most_resident_mib(both: Both, agent: FakeAgent) -> float:
    process, most = psutil.Process(both.process.pid), 0
    for step in range(1, UPDATES + 1):
        for job_id in agent.jobs:
            agent.step(job_id, step % 45)
            if step % PLOT_EVERY == 0:
                data = EvaluationData(step=step % 45, split="validation", loss=1.4, best_loss=1.4, best_step=step % 45)
                agent.emit(job_id, data)
        await asyncio.sleep(EVERY_S)
        most = max(most, process.memory_info().rss)
    return most / MIB


def _edits(both: Both) -> int:
    telegram, discord = both.telegram.world.messages.values(), both.discord.world.messages.values()
    return sum(len(it.edits) for it in telegram) + sum(len(it.edits) for it in discord)


# --- answers


async def _commands(work: Path, rounds: int) -> list[Figure]:
    found: Found = {}
    for number in range(rounds):
        async with running_agent(int(time.time())) as agent:
            await _ask_all(found, "busy machine", work / f"busy-{number}", agent.url, busy=True)
        await _ask_all(found, "agent down", work / f"down-{number}", NOBODY)
        with sleeping_machine() as url:
            await _ask_all(found, "agent's PC asleep", work / f"asleep-{number}", url)
    return [
        Figure(what=f"{situation}: each of {len(COMMANDS)} commands acknowledged, the last {max(times)[1]}",
               ours=max(times)[0], unit="s (slowest)", bar=A_SECOND)
        for situation, times in found.items()
    ]  # fmt: skip


async def _ask_all(
    found: dict[str, list[tuple[float, str]]], where: str, folder: Path, url: str, *, busy: bool = False
) -> None:
    async with connected(folder, url) as both:
        with busy_cores() if busy else contextlib.nullcontext():
            for number, command in enumerate(COMMANDS):
                on_telegram_s = await _ask_on_telegram(both, command.name, 1000 + number)
                found.setdefault(f"{where}, Telegram", []).append((on_telegram_s, f"/{command.name}"))
                on_discord_s = await _ask_on_discord(both, command.name, 1000 + number)
                found.setdefault(f"{where}, Discord", []).append((on_discord_s, f"/{command.name}"))


async def _ask_on_telegram(both: Both, command: str, person_id: int) -> float:
    """Return the seconds until the first message; each command has a person of its own, so that none asks too much."""
    person, began = telegram_server.Person(both.telegram, person_id, "Mia"), time.perf_counter()
    person.say(f"/{command}{' sample' if command == 'finetune' else ''}")
    await until(lambda: both.telegram.messages(person_id))
    return time.perf_counter() - began


async def _ask_on_discord(both: Both, command: str, person_id: int) -> float:
    """Return the seconds until Discord shows that the command has arrived."""
    person, began = discord_server.Person(both.discord, person_id, "Mia"), time.perf_counter()
    given: dict[str, Any] = {"pair": {"text": "x"}, "finetune": {"options": "sample"}}.get(command, {})
    happened = await person.slash(command, **given)
    await until(lambda: happened.answered_at is not None)
    return time.perf_counter() - began
