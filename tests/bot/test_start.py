"""`make run` as processes, with a stand-in for the agent."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from tests.bot import stand_in_agent

pytestmark = pytest.mark.process


async def test_sigterm_stops_bot_and_agent_and_leaves_the_training_alone(tmp_path: Path) -> None:
    environment = stand_in_agent.install(tmp_path) | {"HEARTH_BOT_DIR": str(tmp_path / "bot-dir"), "PACE_S": "1"}
    start = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.start", stdin=-1, stdout=-1, stderr=-1, cwd=tmp_path, env=environment
    )
    assert start.stdin is not None
    assert start.stdout is not None
    async with asyncio.timeout(60):
        start.stdin.write(b"/finetune sample\n1\n")
        await start.stdout.readuntil("toast · training".encode())
        start.send_signal(signal.SIGTERM)
        _, err = await start.communicate()  # ends when nobody holds the pipe: neither start nor bot
    assert (start.returncode, err) == (0, b"")
    assert (tmp_path / "agent-stopped").read_text() == "running"
