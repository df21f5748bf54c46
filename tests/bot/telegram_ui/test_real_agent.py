"""From the code on the agent's console to a group that may: a real agent, the real library, a fake Telegram."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.agent_client import Address
from bot.settings import local_address
from shared.people import RequestedBy
from tests.bot.harness import dataset
from tests.bot.telegram_ui.harness import MIA, TEAM, Story, running_bot
from tests.fakes.telegram_server import Person

TOM, EVE = 8, 66


@asynccontextmanager
async def real_agent(data_dir: Path) -> AsyncIterator[tuple[Address, str]]:
    """Run an agent until the end of the block; yield its address, and the code that it shows."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agent", stdout=-1, stderr=asyncio.subprocess.DEVNULL, cwd=data_dir.parent,
        env=kept | {"HEARTH_DATA_DIR": str(data_dir), "HEARTH_BIND": "127.0.0.1:0", "OLLAMA_HOST": "127.0.0.1:1"},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        async with asyncio.timeout(30):
            line = (await process.stdout.readline()).decode()
            while not (data_dir / "agent.address").exists():  # noqa: ASYNC110 -- another process makes it
                await asyncio.sleep(0.02)
        found = re.search(r"/pair (\S+)", line)
        assert found is not None, line
        yield local_address(data_dir), found[1]
    finally:
        process.terminate()
        await process.communicate()


async def test_code_pairs_the_owner_who_allows_a_group_and_strangers_stay_out(story: Story, tmp_path: Path) -> None:
    tom, eve = Person(story.telegram, TOM, "Tom"), Person(story.telegram, EVE, "Eve")
    story.telegram.world.add_group(TEAM, topics=(45,))
    async with (
        real_agent(tmp_path / "data") as (address, code),
        running_bot(story, tmp_path, address=lambda: address) as bot,
    ):
        eve.say("/gpu")
        await bot.until(lambda: "this machine has no owner" in bot.flat(EVE))
        bot.mia.say(f"/pair {code.lower()}")
        await bot.says("This machine is yours now.")
        eve.say(f"/pair {code}")
        await bot.until(lambda: "There is no pairing code now" in bot.flat(EVE))
        tom.say("/gpu", chat=TEAM)
        await bot.until(lambda: "Ask the owner of this machine (Mia)" in bot.flat(TEAM))
        bot.mia.say("/allow", chat=TEAM, topic=45)
        await bot.says("Whom do I let", chat=TEAM)
        bot.mia.press("This chat", chat=TEAM)
        await bot.says("Whoever writes in Team", chat=TEAM)
        for topic in (None, 45):
            tom.say("/gpu", chat=TEAM, topic=topic)
            await bot.says("Free", chat=TEAM)
        tom.say("/who", chat=TEAM)
        await bot.until(lambda: "You may use this machine: start jobs" in bot.flat(TEAM))
        toms = RequestedBy(platform="telegram", person=str(TOM), chat=str(TEAM), server=str(TEAM), name="Tom")
        await bot.core.on_behalf_of(toms).agent.upload(dataset("rows.jsonl"))
        tom.say("/dataset", chat=TEAM)
        await bot.until(lambda: "Datasets, newest first" in bot.flat(TEAM))
        assert "rows.jsonl" in bot.last(TEAM).text
        tom.say("/pause", chat=TEAM)
        await bot.until(lambda: "and admins may pause and resume" in bot.flat(TEAM))
        for line in ("/gpu", "/jobs", "/dataset"):
            before = len(bot.shown(EVE))
            eve.say(line)
            await bot.until(lambda n=before: len(bot.shown(EVE)) > n)  # type: ignore[misc]
            assert "You may not" in bot.last(EVE).text
        bot.mia.say("/who")
        await bot.says("Owner: may do everything")
        bot.mia.press("Remove Team")
        await bot.until(lambda: "Team" not in bot.last(MIA).text)
        tom.say("/jobs", chat=TEAM)
        await bot.until(lambda: "You may not see its jobs" in bot.flat(TEAM))
