"""From the code on the agent's console to a group that may: a real agent, the real library, a fake Telegram."""

from pathlib import Path

import pytest

from shared.people import RequestedBy
from tests.bot.harness import dataset
from tests.bot.telegram_ui.harness import MIA, TEAM, Story, running_bot
from tests.fakes.telegram_server import Person
from tests.real_agent import real_agent

pytestmark = pytest.mark.process

TOM, EVE = 8, 66


async def test_code_pairs_the_owner_who_allows_a_group_and_strangers_stay_out(story: Story, tmp_path: Path) -> None:
    tom, eve = Person(story.telegram, TOM, "Tom"), Person(story.telegram, EVE, "Eve")
    story.telegram.world.add_group(TEAM, topics=(45,))
    async with (
        real_agent(tmp_path / "data") as (address, code),
        running_bot(story, tmp_path, address=lambda _who: address) as bot,
    ):
        eve.say("/gpu")
        await bot.until(lambda: "this machine has no owner" in bot.flat(EVE))
        bot.mia.say(f"/pair {code.lower()}")
        await bot.says("This machine is yours now")
        eve.say(f"/pair {code}")
        await bot.until(lambda: "There is no pairing code now" in bot.flat(EVE))
        tom.say("/gpu", chat=TEAM)
        await bot.until(lambda: "Ask the owner of this machine (Mia)" in bot.flat(TOM))
        bot.mia.say("/allow", chat=TEAM, topic=45)
        await bot.says("Whom do I let", chat=TEAM)
        bot.mia.press("This chat", chat=TEAM)
        await bot.says("Whoever writes in Team", chat=TEAM)
        for topic in (None, 45):
            tom.say("/gpu", chat=TEAM, topic=topic)
            await bot.says("Free", chat=TEAM)
        tom.say("/who", chat=TEAM)
        await bot.until(lambda: "You may use this machine: start jobs" in bot.flat(TOM))
        toms = RequestedBy(platform="telegram", person=str(TOM), chat=str(TEAM), server=str(TEAM), name="Tom")
        await bot.core.on_behalf_of(toms).agent.upload(dataset("rows.jsonl"))
        tom.say("/dataset", chat=TEAM)
        await bot.until(lambda: "Datasets, newest first" in bot.flat(TEAM))
        assert "rows.jsonl" in bot.last(TEAM).text
        tom.say("/pause", chat=TEAM)
        await bot.until(lambda: "and admins may pause and resume" in bot.flat(TOM))
        for line in ("/gpu", "/jobs", "/dataset"):
            before = len(bot.shown(EVE))
            eve.say(line)
            await bot.until(lambda n=before: len(bot.shown(EVE)) > n)  # type: ignore[misc]
            assert "You may not" in bot.last(EVE).text
        bot.mia.say("/who")
        await bot.says("Who may do what\nOwner: may do everything")
        bot.mia.press("Remove Team")
        await bot.until(lambda: "Team" not in bot.last(MIA).text)
        tom.say("/jobs", chat=TEAM)
        await bot.until(lambda: "You may not see its jobs" in bot.flat(TOM))


async def test_a_group_that_became_a_supergroup_may_go_on_and_finds_its_files(story: Story, tmp_path: Path) -> None:
    tom = Person(story.telegram, TOM, "Tom")
    story.telegram.world.add_group(TEAM, basic=True)
    async with (
        real_agent(tmp_path / "data") as (address, code),
        running_bot(story, tmp_path, address=lambda _who: address) as bot,
    ):
        bot.mia.say(f"/pair {code}")
        await bot.says("This machine is yours now")
        bot.mia.say("/allow chat", chat=TEAM)
        await bot.says("Whoever writes in Team", chat=TEAM)
        mias = RequestedBy(platform="telegram", person=str(MIA), chat=str(TEAM), server=str(TEAM), name="Mia")
        await bot.core.on_behalf_of(mias).agent.upload(dataset("rows.jsonl"))
        new = bot.telegram.upgrade(TEAM, TEAM - 1)
        tom.say("/dataset", chat=new)
        await bot.until(lambda: "rows.jsonl" in bot.flat(new))
        bot.mia.say("/who", chat=new)
        await bot.until(lambda: "whoever is in Team" in bot.flat(new))
