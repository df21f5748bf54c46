"""`python -m bot` as a process: its settings, and its life from spawn to end."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.fakes import discord_server, telegram_server
from tests.fakes.agent_server import KEY
from tests.fakes.discord_server import FakeDiscord
from tests.fakes.telegram_server import FakeTelegram

ROOT = Path(__file__).parents[2]


def environment(folder: Path, url: str, **more: str) -> dict[str, str]:
    """Return what a bot needs that keeps its things in a folder and asks the fake agent at an address."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "error",
        "HEARTH_AGENT_URL": url,
        "HEARTH_AGENT_KEY": KEY,
        "HEARTH_BOT_DIR": str(folder / "bot"),
        "HEARTH_DATA_DIR": str(folder / "data"),
        **more,
    }


def on_telegram(server: FakeTelegram, token: str = telegram_server.TOKEN) -> dict[str, str]:
    """Return the settings that connect a bot to Telegram."""
    return {"TELEGRAM_TOKEN": token, "TELEGRAM_API_BASE": server.url}


def on_discord(server: FakeDiscord, token: str = discord_server.TOKEN) -> dict[str, str]:
    """Return the settings that connect a bot to Discord."""
    return {"DISCORD_TOKEN": token, "DISCORD_API_BASE": server.api_base, "DISCORD_GATEWAY": server.gateway_url}


@asynccontextmanager
async def bot_process(
    folder: Path, settings: dict[str, str], *, stdin: int = asyncio.subprocess.DEVNULL, limit_s: float = 60
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a bot in a folder until the end of the block, for so long at most."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", stdin=stdin, stdout=-1, stderr=-1, cwd=folder, env=settings
    )
    try:
        async with asyncio.timeout(limit_s):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
