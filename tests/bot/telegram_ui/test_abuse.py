"""What people in a Telegram group try that they may not: forged buttons, and floods of all kinds."""

import pytest

from bot.telegram_ui.app import PLATFORM
from shared.people import Role
from tests.bot.telegram_ui.harness import MIA, TEAM, Story
from tests.fakes.telegram_server import Person

EVE, ADA = 66, 8


def owned(bot: Story) -> None:
    bot.agent.people.own(PLATFORM, str(MIA), "Mia")


async def test_only_the_owner_can_allow_be_it_by_a_button_or_by_forging_one(bot: Story) -> None:
    bot.telegram.world.add_group(TEAM)
    owned(bot)
    ada = Person(bot.telegram, ADA, "Ada")
    bot.mia.say("/allow", chat=TEAM)
    await bot.says("Whom do I let use this machine?", chat=TEAM)
    assert bot.last(TEAM).labels == ["This chat"]
    question = bot.last(TEAM)
    ada.press("This chat", chat=TEAM)
    for line in ("/allow chat", f"/who take:telegram:person:{MIA}", "/models allow:some/model"):
        ada.press_line(line, question)
        await bot.settled()
        assert bot.telegram.methods.alerts[-1][2], line
    assert [(grant.id, grant.role) for grant in bot.agent.people.grants] == [(str(MIA), Role.owner)]
    assert not bot.agent.people.approved


@pytest.mark.parametrize("what", ["/settings", "file", "/nonsense", "as the group"])
async def test_a_flood_of_what_telegram_answers_itself_starves_nobody_either(bot: Story, what: str) -> None:
    bot.telegram.world.add_group(TEAM)
    bot.mia.say("/help", chat=TEAM)
    await bot.says("Hearth", chat=TEAM)
    ours = bot.last(TEAM)
    eve = Person(bot.telegram, EVE, "Eve")
    for _ in range(200):
        if what == "file":
            eve.send_file("rows.jsonl", chat=TEAM, reply_to=ours.id)
        else:
            eve.say(what if what.startswith("/") else "/jobs", chat=TEAM, as_group=not what.startswith("/"))
    asked_at = bot.clock.now()
    bot.mia.say("/status", chat=TEAM)
    await bot.until(lambda: any(shown.text.startswith("Free") for shown in bot.shown(TEAM)), step_s=0.2)
    assert bot.clock.now() - asked_at < 30
    assert len(bot.shown(TEAM)) <= 16
