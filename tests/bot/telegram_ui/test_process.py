"""The bot as a process with a Telegram token: what ends it, what does not, and what it writes down."""

import asyncio
import signal
import sys
import time
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from bot.telegram_ui.texts import NOT_LET_IN
from tests.bot.process import ROOT, bot_process, environment, on_telegram
from tests.fakes.agent_server import FakeAgent
from tests.fakes.telegram_server import TOKEN, FakeTelegram, Person, running_telegram

pytestmark = pytest.mark.process

MIA = 7


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    async with running_telegram(time.time) as server:
        yield server


def bot(
    agent: FakeAgent,
    telegram: FakeTelegram,
    folder: Path,
    *,
    stdin: int = DEVNULL,
    token: str = TOKEN,
) -> AbstractAsyncContextManager[asyncio.subprocess.Process]:
    return bot_process(folder, environment(folder, agent.url, **on_telegram(telegram, token)), stdin=stdin)


async def said(telegram: FakeTelegram, text: str) -> None:
    while not any(text in message.text for message in telegram.messages(MIA)):  # noqa: ASYNC110
        await asyncio.sleep(0.02)


async def test_a_service_without_a_keyboard_serves_until_sigterm(
    agent: FakeAgent, telegram: FakeTelegram, tmp_path: Path
) -> None:
    mia = Person(telegram, MIA, "Mia")
    async with bot(agent, telegram, tmp_path) as process:
        mia.say("/jobs")
        await said(telegram, "No jobs yet")
        process.send_signal(signal.SIGTERM)
        assert await process.communicate() == (b"", b"")
    assert process.returncode == 0
    assert TOKEN not in (tmp_path / "bot" / "bot.log").read_text()


async def test_the_end_of_a_pipe_does_not_end_the_bot(agent: FakeAgent, telegram: FakeTelegram, tmp_path: Path) -> None:
    mia = Person(telegram, MIA, "Mia")
    async with bot(agent, telegram, tmp_path, stdin=asyncio.subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"/jobs\n")
        process.stdin.write_eof()
        await process.stdout.readuntil(b"No jobs yet")
        mia.say("/help")
        await said(telegram, "Teach a language model")
        process.send_signal(signal.SIGTERM)
        await process.communicate()
    assert process.returncode == 0


@pytest.mark.parametrize("typed", [b"", b"/help\n"])
async def test_a_bad_token_is_one_line_without_it_and_stops_nothing_else(
    agent: FakeAgent, telegram: FakeTelegram, tmp_path: Path, typed: bytes
) -> None:
    token = "4242:AAG-mistyped"
    stdin = asyncio.subprocess.PIPE if typed else DEVNULL
    async with bot(agent, telegram, tmp_path, stdin=stdin, token=token) as process:
        out, err = await process.communicate(typed or None)
    assert err.decode() == f"{NOT_LET_IN}\n"
    assert (b"Try the sample" in out) == bool(typed)
    assert process.returncode == 2  # in the end there is nothing left to serve
    log = (tmp_path / "bot" / "bot.log").read_text()
    assert log.count(NOT_LET_IN) == 1
    assert "AAG-mistyped" not in log
    assert "Traceback" not in log


async def test_killed_between_a_call_and_its_answer_the_next_bot_answers_it_once(
    agent: FakeAgent, telegram: FakeTelegram, tmp_path: Path
) -> None:
    mia = Person(telegram, MIA, "Mia")
    gate = agent.gate("POST", "/v1/files")
    async with bot(agent, telegram, tmp_path) as process:
        mia.send_file("rows.jsonl", caption="/finetune name:mia")
        await gate.reached.wait()
        process.kill()
        await process.communicate()
    gate.open.set()
    agent.gates.remove(gate)
    async with bot(agent, telegram, tmp_path):
        await said(telegram, "rows.jsonl · ")
    assert len(telegram.messages(MIA)) == 1
    assert [request.suffix for request in agent.plan_requests] == ["mia"]


async def test_without_a_token_no_chat_library_is_loaded() -> None:
    code = "import sys, bot.__main__; print(sorted({'telegram', 'discord', 'httpx'} & set(sys.modules)))"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=-1, cwd=ROOT)
    out, _ = await process.communicate()
    assert out.strip() == b"[]"
