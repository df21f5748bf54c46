"""An installation of version 0.1 is updated: its jobs, people, key and old cards go on."""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.settings import AgentSettings
from bot.agent_api.client import AgentClient
from bot.agent_api.transport import Address, Transport
from bot.commands import COMMANDS
from bot.dispatch.command import Core
from bot.following.feed import FeedFollower
from bot.following.subscriptions import Subscriptions
from bot.kept.chat_moves import Moves
from bot.kept.database import Database
from bot.kept.ignored import Ignored
from bot.kept.offers import Offers
from bot.kept.preferences import Preferences
from bot.kept.requests import Requests
from bot.kept.talks import Talks
from tests.agent.api.asking import ask
from tests.agent.running_agent import KEY, run_agent
from tests.agent.test_main import read_until, start
from tests.bot.harness import Bot, FakeClock, RecordingChat

pytestmark = pytest.mark.process

LEFT = Path(__file__).parents[1] / "fixtures" / "installation_0_1"
DONE, PAUSED, WAITING, NEVER = "1", "2", "3", "4"


def restore(sql: Path, database: Path) -> None:
    with sqlite3.connect(database) as connection:
        connection.executescript(sql.read_text(encoding="utf-8"))
    connection.close()


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """The data folder as the old agent left it."""
    data = tmp_path / "data"
    shutil.copytree(LEFT, data)
    for spec in data.glob("jobs/*/spec.json"):
        for empty in ("control", "stages", "checkpoints", "adapter", "export", "report"):  # git keeps no empty folders
            (spec.parent / empty).mkdir(exist_ok=True)
        spec.write_text(spec.read_text(encoding="utf-8").replace("@DATA@", str(data)), encoding="utf-8")
    restore(LEFT / "agent.sql", data / "hearth.sqlite3")
    (tmp_path / "bot").mkdir()
    restore(LEFT / "bot.sql", tmp_path / "bot" / "bot.sqlite3")
    yield data
    for folder in (data / "jobs").iterdir():
        (folder / "go").touch()


@pytest.fixture
def settings(data_dir: Path) -> AgentSettings:
    return AgentSettings.model_validate({"hearth_data_dir": data_dir, "hearth_disk_floor_mib": 64})


async def test_jobs_that_waited_or_were_paused_run_and_what_was_done_is_there(settings: AgentSettings) -> None:
    async with run_agent(settings) as agent:
        await agent.until_status((await agent.job(WAITING))["id"], "succeeded")
        await ask(agent, "POST", f"/v1/fine_tuning/jobs/{PAUSED}/resume")
        await agent.until_status((await agent.job(PAUSED))["id"], "succeeded")
        assert await agent.status((await agent.job(NEVER))["id"]) == "queued"
        done = await agent.job(DONE)
        assert done["fine_tuned_model"] == "toast:v1"
        async with agent.http.get(f"/v1/files/{done['result_files'][0]}/content") as response:
            assert (await response.read()).startswith(b"GGUF")
        people = await ask(agent, "GET", "/v1/people")
        assert [row["role"] for row in people["data"]] == ["owner", "member", "member", "admin"]


async def test_buttons_of_old_cards_work(settings: AgentSettings, tmp_path: Path) -> None:
    clock, chat = FakeClock(), RecordingChat()
    async with run_agent(settings, works=False) as agent, Transport() as transport:
        with Database(tmp_path / "bot" / "bot.sqlite3") as database:
            subscriptions = Subscriptions(database)
            assert next(card.job_id for card in subscriptions.undelivered()).startswith("ftjob-")
            moves = Moves(database)
            preferences = Preferences(database)
            client = AgentClient(
                lambda _who: Address(url=agent.url.rstrip("/"), key=KEY), transport=transport, clock=clock, moves=moves
            )
            follow = FeedFollower(
                agent=client,
                subscriptions=subscriptions,
                open_chat=lambda *_: chat,
                clock=clock,
                moves=moves,
                preferences=preferences,
            )
            core = Core(
                agent=client, subscriptions=subscriptions, requests=Requests(database),
                offers=Offers(database), talks=Talks(database, clock), preferences=preferences,
                ignored=Ignored(database), follow=follow, clock=clock,
                commands=COMMANDS,
            )  # fmt: skip
            bot = Bot(core, chat, clock, [])
            mia: dict[str, Any] = {"platform": "discord", "person": "17", "chat_id": "kitchen", "private": False}
            assert "#2" in (await bot.say(f"/resume #{PAUSED}", **mia)).text
            assert (await agent.job(PAUSED))["status"] == "queued"
            assert "Stop" in (await bot.say(f"/cancel #{WAITING}", **mia)).text
            assert "far future" in " ".join((await bot.say(f"/status #{NEVER}", **mia)).text.split())
            assert "toast" in (await bot.say(f"/status #{DONE}", **mia)).text


def test_the_one_key_of_before_goes_on_as_the_owners_and_bots_get_their_own(data_dir: Path) -> None:
    owners = (data_dir / "agent.key").read_text()
    with start(data_dir) as agent:
        read_until(agent, "serves on http://127.0.0.1:")
        assert (data_dir / "agent.key").read_text() == owners
        assert (data_dir / "bot.key").read_text() not in ("", owners)
        agent.terminate()
