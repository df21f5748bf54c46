"""The first start of the bot as a process: with a person at the terminal, and as a service."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.bot.process import environment, on_telegram
from tests.fakes.agent_server import FakeAgent
from tests.fakes.telegram_server import running_telegram

pytestmark = pytest.mark.process

CODE = "ABCD-2345"
WHERE = "“hearth-agent pairing-code” on the GPU machine prints its code"


@asynccontextmanager
async def bot(agent: FakeAgent, folder: Path, *, screen: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a bot with a Telegram token; `screen`: its keyboard and output."""
    async with running_telegram(time.time) as telegram:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", stdin=screen, stdout=screen, stderr=screen, cwd=folder,
            env=environment(folder, agent.url, TERM="xterm", **on_telegram(telegram)), start_new_session=True,
        )  # fmt: skip
        try:
            async with asyncio.timeout(30):
                yield process
        finally:
            process.kill()
            await process.wait()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
async def test_who_sits_at_the_terminal_reads_the_code_unasked_and_once_more_with_pair(
    agent: FakeAgent, tmp_path: Path
) -> None:
    agent.people.guard(CODE)
    keyboard, terminal = os.openpty()
    os.set_blocking(keyboard, False)
    try:
        async with bot(agent, tmp_path, screen=terminal):
            await see(keyboard, f"/pair {CODE}")
            os.write(keyboard, b"/pair\r")
            await see(keyboard, f"/pair {CODE}")
    finally:
        os.close(keyboard)
        os.close(terminal)
    assert CODE not in (tmp_path / "bot" / "bot.log").read_text()


async def test_a_service_logs_where_the_code_stands_and_never_the_code(agent: FakeAgent, tmp_path: Path) -> None:
    agent.people.guard(CODE)
    log = tmp_path / "bot" / "bot.log"
    async with bot(agent, tmp_path, screen=asyncio.subprocess.DEVNULL) as process:
        while WHERE not in (log.read_text() if log.exists() else ""):  # noqa: ASYNC110 -- another process writes it
            await asyncio.sleep(0.02)
        assert process.returncode is None
    assert CODE not in log.read_text()


async def see(terminal: int, text: str) -> None:
    """Read what the screen is sent from now on until the text has come."""
    seen = b""
    while text not in seen.decode("utf-8", "replace"):
        try:
            seen += os.read(terminal, 4096)
        except BlockingIOError:
            await asyncio.sleep(0.02)
