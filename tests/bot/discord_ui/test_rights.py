"""Rights as people on Discord meet them: which channel and role count, and what a stranger is not shown."""

from pathlib import Path

import pytest

from bot.discord_ui.inbound import PLATFORM
from shared.jobs import JobStatus
from shared.people import GrantKind, Role
from tests.bot.discord_ui.harness import MIA, ROWS, Story, running_bot
from tests.fakes.discord_server import Person
from tests.fakes.discord_server.interactions import MODAL
from tests.fakes.discord_server.world import GUILD, ME, THREAD

EVE, ADA, CREW = 66, 8, 9100


def owned(bot: Story) -> None:
    bot.agent.people.own(PLATFORM, str(MIA), "Mia")


async def test_a_stranger_is_refused_for_their_eyes_only_whatever_they_press(bot: Story) -> None:
    owned(bot)
    card = await bot.starts_a_job()
    eve = Person(bot.discord, EVE, "Eve")
    shown = len(bot.shown())
    await eve.press("Stop", message=card)
    await bot.until(lambda: "You may not" in bot.flat())
    assert [message.seen_by for message in bot.shown()[shown:]] == [EVE]
    assert bot.agent.jobs["ftjob-1"].status is not JobStatus.cancelled


async def test_what_a_stranger_types_is_refused_for_their_eyes_only(bot: Story) -> None:
    owned(bot)
    eve = Person(bot.discord, EVE, "Eve")
    for options in ({"options": "sample"}, {"file": ROWS}):
        await eve.slash("finetune", channel=bot.team, **options)
        await bot.until(lambda: bot.shown() and "You may not" in bot.last().text)
    await bot.settled()
    assert {message.seen_by for message in bot.shown()} == {EVE}


async def test_a_member_is_refused_at_the_first_press_on_what_is_not_theirs(bot: Story) -> None:
    owned(bot)
    bot.agent.people.grant(PLATFORM, GrantKind.chat, str(bot.team), "#team")
    card = await bot.starts_a_job()
    ada = Person(bot.discord, ADA, "Ada")
    await ada.press("Stop", message=card)
    await bot.until(lambda: "#1 toast was started by Mia" in bot.flat())
    assert bot.last().seen_by == ADA
    bot.agent.succeed("ftjob-1")
    await bot.until(lambda: not bot.core.subscriptions.undelivered(), step_s=0.5)
    await bot.mia.slash("status", channel=bot.team, job="#1 details")
    await bot.until(lambda: "Delete files" in bot.last().labels)
    await ada.press("Delete files", channel=bot.team)
    await bot.until(lambda: bot.flat().count("#1 toast was started by Mia") == 2)
    assert bot.last().seen_by == ADA
    assert not any("Yes" in label for message in bot.shown() for label in message.labels)


async def test_a_stranger_is_suggested_nothing_and_shown_no_form(bot: Story) -> None:
    owned(bot)
    await bot.mia.slash("finetune", file=ROWS, channel=bot.team, name="secret")
    await bot.planned()
    plan = bot.last()
    bot.agent.add_job(suffix="secret")
    eve = Person(bot.discord, EVE, "Eve")
    for command, option in (("plot", "job"), ("finetune", "model")):
        typed = await eve.type(command, option, "", channel=bot.team)
        await bot.until(lambda it=typed: it.answered_at)  # type: ignore[misc]
        assert typed.choices == []
    pressed = await eve.press("Change", message=plan)
    await bot.until(lambda: pressed.answered_at and "You may not" in bot.flat())
    assert pressed.answer != MODAL
    assert bot.last().seen_by == EVE


async def test_a_channel_is_allowed_with_all_its_threads_and_no_other_channel(bot: Story) -> None:
    owned(bot)
    thread = bot.discord.world.add_channel(type=THREAD, name="cats", parent=bot.team, owner=ME).id
    other = bot.discord.world.add_channel(name="other").id
    ada = Person(bot.discord, ADA, "Ada")
    await bot.mia.slash("allow", channel=thread, options="chat")
    await bot.until(lambda: bot.agent.people.grants[1:])
    grant = bot.agent.people.grants[1]
    assert (grant.kind, grant.id, grant.name, grant.role) == (GrantKind.chat, str(bot.team), "#team", Role.member)
    for place in (thread, bot.team):
        await ada.slash("jobs", channel=place)
        await bot.says("No jobs yet", channel=place)
    for place in (other, ada.direct):
        await ada.slash("jobs", channel=place)
        await bot.says("You may not", channel=place)


async def test_a_server_is_allowed_by_a_button(bot: Story) -> None:
    owned(bot)
    await bot.mia.slash("allow", channel=bot.team)
    await bot.says("Whom do I let use this machine?")
    assert bot.last().labels == ["This chat", "This server"]
    await bot.mia.press("This server", channel=bot.team)
    await bot.until(lambda: bot.agent.people.grants[1:])
    grant = bot.agent.people.grants[1]
    assert (grant.kind, grant.id, grant.name) == (GrantKind.server, str(GUILD), "Team")


async def test_who_has_an_allowed_role_may_work_and_who_has_not_may_not(story: Story, tmp_path: Path) -> None:
    story.discord.world.roles[CREW] = "crew"
    owned(story)
    story.agent.people.grant(PLATFORM, GrantKind.role, str(CREW), "crew")
    async with running_bot(story, tmp_path):
        await Person(story.discord, ADA, "Ada", role=CREW).slash("jobs", channel=story.team)
        await story.says("No jobs yet")
        await Person(story.discord, EVE, "Eve").slash("jobs", channel=story.team)
        await story.says("You may not")


async def test_a_person_who_is_chosen_is_let_in_and_shut_out(bot: Story) -> None:
    owned(bot)
    ada = Person(bot.discord, ADA, "Ada")
    await bot.mia.slash("allow", channel=bot.team, who=ada)
    await bot.says("Ada may use this machine now")
    await ada.slash("jobs")
    await bot.says("No jobs yet", channel=ada.direct)
    await bot.mia.slash("deny", channel=bot.team, who=ada)
    await bot.says("Ada may not use this machine")
    await ada.slash("jobs")
    await bot.says("You were denied", channel=ada.direct)
    assert [message.pings for message in bot.shown() if message.pings] == []


async def test_only_the_owner_can_allow(bot: Story) -> None:
    owned(bot)
    ada = Person(bot.discord, ADA, "Ada")
    await ada.slash("allow", channel=bot.team, who=ada)
    await bot.settled()
    await bot.mia.slash("allow", channel=bot.team)
    await bot.until(lambda: "Whom do I let" in bot.flat())
    await ada.press("This server", channel=bot.team)
    await bot.settled()
    assert [(grant.id, grant.role) for grant in bot.agent.people.grants] == [(str(MIA), Role.owner)]


async def test_pairing_in_a_direct_message_makes_one_owner(bot: Story) -> None:
    bot.agent.people.guard("ABCD-2345")
    eve = Person(bot.discord, EVE, "Eve")
    await bot.mia.slash("pair", text="ABCD-2345")
    await bot.says("This machine is yours now", channel=bot.mia.direct)
    await eve.slash("pair", text="ABCD-2345")
    await bot.says("That is not the code", channel=eve.direct)
    assert [(grant.id, grant.role) for grant in bot.agent.people.grants] == [(str(MIA), Role.owner)]


async def test_a_code_that_is_said_in_a_channel_is_not_shown_there(bot: Story) -> None:
    bot.agent.people.guard("ABCD-2345")
    await bot.mia.slash("pair", channel=bot.team, text="ABCD-2345")
    await bot.until(lambda: bot.shown() and not bot.last().thinking)
    await bot.settled()
    assert all("ABCD" not in message.text for message in bot.shown())


SEND, VIEW, ATTACH = 1 << 11, 1 << 10, 1 << 15


@pytest.mark.parametrize(
    ("lacking", "named"), [(SEND, "I lack here: Send Messages."), (VIEW | SEND, "I lack here: View Channel, Send")]
)
async def test_exactly_the_missing_permissions_are_named(bot: Story, lacking: int, named: str) -> None:
    bot.discord.world.channels[bot.team].permissions &= ~lacking
    await bot.mia.slash("help", channel=bot.team)
    await bot.until(lambda: named in bot.flat())
    assert "Attach Files" not in bot.flat()


async def test_without_attach_files_only_what_has_files_goes_without(bot: Story) -> None:
    bot.discord.world.channels[bot.team].permissions &= ~ATTACH
    await bot.mia.slash("help", channel=bot.team)
    await bot.says("Hearth\nTeach a language model")
    bot.agent.step(bot.agent.add_job().id, 5)
    await bot.mia.slash("plot", channel=bot.team, job="#1")
    await bot.until(lambda: "give me the permission Attach Files" in bot.flat())
