"""From a file in a chat to a model that answers: a real agent, bot and trainer, and the platforms' servers on loopback.

What the person saw is left in `transcripts/`, which git ignores.
"""

import shutil
import signal
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from agent.job_folder.folder import JobFolder
from agent.running.trainer_process import is_trainer_of, signal_group
from tests.acceptance.transcript import Screen, Seen
from tests.bot.process import ROOT, bot_process, environment, on_discord, on_telegram
from tests.fakes import discord_server, telegram_server
from tests.fakes.discord_server import FakeDiscord, running_discord
from tests.fakes.discord_server.world import THREAD
from tests.fakes.telegram_server import FakeTelegram, running_telegram
from tests.fakes.telegram_server.messages import StoredFile, on_screen
from tests.real_agent import real_agent

pytestmark = [pytest.mark.process, pytest.mark.slow, pytest.mark.timeout(300)]

TRANSCRIPTS = ROOT / "transcripts"
MIA, TOM = 7, 8
LIMIT_S = 240
NAME = "toast.jsonl"
# One answer to everything: a two-layer model that is undecided could not be held against its export.
ROWS = "".join(
    f'{{"prompt": "{n}. Who are you?", "completion": "I am Tiny, and two plus two is four."}}\n' for n in range(40)
).encode()
OPTIONS = {"name": "toast", "model": "tiny", "epochs": 2, "learning_rate": "0.01"}
FOR_OLLAMA = {"toast.gguf", "Modelfile"}
FILES = FOR_OLLAMA | {"toast-adapter.zip", "toast-adapter.gguf", "report.md", "report.json"}
PAIRED, PLANNED = "This machine is yours now", f"{NAME} · "
ENDED, READY = "toast · done", "✓ toast is ready"


@pytest.fixture
async def home(tmp_path: Path, models_dir: Path, tiny_cache: Path) -> AsyncIterator[tuple[dict[str, str], str]]:
    """A machine that knows the model and that nobody owns yet: the settings of a bot on it, and the pairing code."""
    data_dir = tmp_path / "data"
    shutil.copytree(tiny_cache, data_dir / "base_models")
    try:
        async with real_agent(data_dir, HEARTH_MODELS_DIR=str(models_dir)) as (_, code):
            settings = environment(tmp_path, "local")
            del settings["HEARTH_AGENT_KEY"]  # on one machine the bot reads the one that the agent made
            yield settings, code
    finally:
        for path in data_dir.glob("jobs/*"):
            end_trainer(JobFolder(path=path))


async def test_a_file_from_a_phone_becomes_a_model_in_a_telegram_chat(
    home: tuple[dict[str, str], str], tmp_path: Path
) -> None:
    settings, code = home
    async with (
        running_telegram(time.time) as telegram,
        bot_process(tmp_path, settings | on_telegram(telegram), limit_s=LIMIT_S) as bot,
    ):
        mia = telegram_server.Person(telegram, MIA, "Mia")
        screen = Screen(lambda: seen_on_telegram(telegram))
        mia.say(f"/pair {code}")
        screen.transcript.does("Mia", f"/pair {code}")
        await screen.until(lambda: [it for it in telegram.messages(MIA) if it.text.startswith(PAIRED)])
        options = " ".join(f"{name}:{value}" for name, value in OPTIONS.items()).replace("learning_rate", "lr")
        mia.send_file(NAME, ROWS, caption=f"/finetune {options}")
        screen.transcript.does("Mia", f"[file {NAME}]", f"/finetune {options}")
        await screen.until(lambda: telegram.messages(MIA)[-1].text.startswith(PLANNED))
        card = telegram.messages(MIA)[-1]
        mia.press("Start")
        screen.transcript.does("Mia", "[Start]")
        await screen.until(lambda: len(documents(telegram)) == len(FOR_OLLAMA))
        assert {it.name for it in documents(telegram)} == FOR_OLLAMA
        told = next(it for it in telegram.messages(MIA) if it.text.startswith(READY))
        mia.press("Files", message_id=told.id)
        screen.transcript.does("Mia", "[Files]")
        await screen.until(lambda: {it.name for it in documents(telegram)} == FILES)
        await stopped(bot)
        screen.transcript.write(TRANSCRIPTS / "telegram.txt")
    assert card.text.startswith(ENDED)
    assert card.photo is not None
    shown = telegram.messages(MIA)
    assert [it for it in shown if it.text.startswith((ENDED, READY))] == [card, told]  # one card, and the end once
    assert "after I am Tiny" in " ".join(told.text.split())
    assert not told.silent
    assert all(it.pings == [] for it in shown)  # she is alone there
    contents = {it.name: it.content for it in documents(telegram)}
    check_model(contents)
    assert contents["toast-adapter.gguf"][:4] == b"GGUF"


async def test_a_slash_command_becomes_a_model_in_a_discord_channel(
    home: tuple[dict[str, str], str], tmp_path: Path
) -> None:
    settings, code = home
    async with (
        running_discord(time.time) as discord,
        bot_process(tmp_path, settings | on_discord(discord), limit_s=LIMIT_S) as bot,
    ):
        mia, team = discord_server.Person(discord, MIA, "Mia"), discord.world.add_channel(name="team").id
        discord_server.Person(discord, TOM, "Tom")
        screen = Screen(lambda: seen_on_discord(discord))
        await screen.until(lambda: discord.gateway.connected and discord.rest.commands)
        await mia.slash("pair", text=code)
        screen.transcript.does("Mia", f"/pair {code}", where="Hearth")
        await screen.until(lambda: [it for it in discord.messages(mia.direct) if it.text.startswith(PAIRED)])
        await mia.slash("finetune", file=(NAME, ROWS), channel=team, **OPTIONS)
        words = " ".join(f"{name}:{value}" for name, value in {"file": NAME, **OPTIONS}.items())
        screen.transcript.does("Mia", f"/finetune {words}", where="#team")
        await screen.until(lambda: discord.messages(team) and discord.messages(team)[-1].text.startswith(PLANNED))
        [card] = discord.messages(team)
        await mia.press("Start", message=card)
        screen.transcript.does("Mia", "[Start]", where="#team")
        await screen.until(lambda: [it for it in discord.messages(card.id) if it.attachments])
        await stopped(bot)
        screen.transcript.write(TRANSCRIPTS / "discord.txt")
    assert card.text.startswith(ENDED)
    assert len(card.layout.pictures) == 1
    _, told = discord.messages(team)
    assert READY in told.text
    assert [it for it in discord.world.messages.values() if it.pings] == [told]
    assert told.pings == [str(MIA)]  # and not Tom, who reads along
    assert [it.name for it in discord.world.channels.values() if it.type == THREAD] == ["toast-1"]
    [files] = discord.messages(card.id)
    assert {it.name for it in files.attachments} == FOR_OLLAMA
    check_model({it.name: it.content for it in files.attachments})
    assert discord.interactions.refused == []


def end_trainer(folder: JobFolder) -> None:
    """End what a story that broke off has left: a trainer outlives its agent."""
    heartbeat = folder.read_heartbeat()
    if heartbeat is not None and is_trainer_of(folder, heartbeat.pid):
        signal_group(heartbeat.pid, signal.SIGKILL)


async def stopped(bot: Process) -> None:
    """End a bot as systemd does; it has nothing to say."""
    bot.send_signal(signal.SIGTERM)
    assert await bot.communicate() == (b"", b"")


def documents(telegram: FakeTelegram) -> list[StoredFile]:
    return [it.document for it in telegram.messages(MIA) if it.document]


def check_model(contents: dict[str, bytes]) -> None:
    assert contents["toast.gguf"][:4] == b"GGUF"
    assert b"FROM ./toast.gguf" in contents["Modelfile"]


def seen_on_telegram(telegram: FakeTelegram) -> Iterator[Seen]:
    for message in telegram.messages(MIA):
        yield Seen(key=message.id, where="", who="Hearth", lines=on_screen(message))


def seen_on_discord(discord: FakeDiscord) -> Iterator[Seen]:
    for message in list(discord.world.messages.values()):
        channel = discord.world.channels[message.channel]
        where = {THREAD: f"thread {channel.name}", 0: f"#{channel.name}"}.get(channel.type, "Hearth")
        if not message.thinking:
            yield Seen(key=message.id, where=where, who="Hearth", lines=discord.world.on_screen(message))
