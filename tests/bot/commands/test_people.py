"""/pair, /allow, /deny, /who: rights are given from the chat, and nobody needs an id."""

from typing import Any

import pytest

from bot.core.call import Named
from shared.people import GrantKind, Role
from tests.bot.harness import Bot, dataset, fits
from tests.fakes.agent_server import FakeAgent

GROUP: dict[str, Any] = {
    "private": False,
    "chat_name": "Team",
    "rights_chat_id": "team",
    "server": "home",
    "server_name": "Home",
}
ADA: dict[str, Any] = {"person": "ada", "name": "Ada"}
EVE: dict[str, Any] = {"person": "eve", "name": "Eve"}


@pytest.fixture
def owned(agent: FakeAgent, bot: Bot) -> Bot:
    """A machine of Ada's, who speaks."""
    agent.people.own("test", "ada", "Ada")
    bot.who = ADA
    return bot


def flat(text: str) -> str:
    return " ".join(text.split())


def granted(agent: FakeAgent) -> list[tuple[str, str, str]]:
    return [(grant.kind.value, grant.id, grant.role.value) for grant in agent.people.grants]


async def test_stranger_with_the_code_becomes_the_owner_and_reads_what_is_next(agent: FakeAgent, bot: Bot) -> None:
    agent.people.guard("ABCD-2345")
    assert "That is not the code" in (await bot.say("/pair WRONG", **EVE)).text
    reply = await bot.say("/pair ABCD-2345", **ADA)
    assert reply.title == "This machine is yours now"
    assert "/allow" in reply.text
    assert granted(agent) == [("person", "ada", "owner")]
    assert "That is not the code" in (await bot.say("/pair ABCD-2345", **EVE)).text


async def test_pair_without_a_code_says_where_it_stands_and_whose_the_machine_is(agent: FakeAgent, bot: Bot) -> None:
    agent.people.guard()
    assert "where hearth-agent was started" in flat((await bot.say("/pair", **EVE)).text)
    agent.people.own("test", "ada", "Ada")
    assert "belongs to Ada" in flat((await bot.say("/pair", **EVE)).text)


async def test_owner_gets_a_code_for_the_other_platform_in_a_private_chat_alone(agent: FakeAgent, owned: Bot) -> None:
    reply = await owned.say("/pair")
    assert reply.copy[0].lines == ("/pair WXYZ-6789",)
    assert "It holds for 15 min" in reply.copy[0].intro
    reply = await owned.say("/pair", **GROUP)
    assert not reply.copy
    assert "private chat" in reply.text


async def test_terminal_shows_the_code_again(agent: FakeAgent, bot: Bot) -> None:
    agent.people.guard("ABCD-2345")
    assert (await bot.say("/pair", platform="terminal")).copy[0].lines == ("/pair ABCD-2345",)
    assert agent.people.code == "ABCD-2345"


async def test_allow_in_a_group_offers_this_chat_and_this_server(agent: FakeAgent, owned: Bot) -> None:
    reply = await owned.say("/allow", **GROUP)
    assert [button.label for button in reply.buttons] == ["This chat", "This server"]
    reply = await owned.press("This chat", **GROUP)
    assert "Whoever writes in Team may use this machine now" in flat(reply.text)
    await owned.say("/allow server", **GROUP)
    assert granted(agent)[1:] == [("chat", "team", "member"), ("server", "home", "member")]
    assert [grant.name for grant in agent.people.grants[1:]] == ["Team", "Home"]


async def test_a_group_that_is_its_own_server_is_offered_once(owned: Bot) -> None:
    reply = await owned.say("/allow", **GROUP | {"server": "team"})
    assert [button.label for button in reply.buttons] == ["This chat"]


async def test_in_a_private_chat_there_is_nothing_to_allow_but_people(agent: FakeAgent, owned: Bot) -> None:
    reply = await owned.say("/allow")
    assert not reply.buttons
    assert "forward it to me" in flat(reply.text)
    assert "Nobody else writes here" in flat((await owned.say("/allow chat")).text)
    assert len(agent.people.grants) == 1


async def test_allow_takes_whom_the_message_names_or_answers(agent: FakeAgent, owned: Bot) -> None:
    crew = Named(id="crew", name="Crew", kind=GrantKind.role)
    await owned.say("/allow Mia Lovelace", mentioned=(Named(id="17", name="Mia Lovelace"),), **GROUP)
    assert "Mia Lovelace may use this machine now: start jobs" in flat(owned.chat.last.text)
    await owned.say("/allow as:admin", mentioned=(Named(id="18", name="Tom"), crew), **GROUP)
    assert "also stop anybody's job" in flat(owned.chat.last.text)
    assert granted(agent)[1:] == [("person", "17", "member"), ("person", "18", "admin"), ("role", "crew", "admin")]


async def test_a_name_without_a_person_behind_it_is_not_guessed(agent: FakeAgent, owned: Bot) -> None:
    reply = await owned.say("/allow @mia", **GROUP)
    assert "Answer a message of theirs with /allow" in flat(reply.text)
    assert "as:member and as:admin" in flat((await owned.say("/allow as:king", **GROUP)).text)
    assert len(agent.people.grants) == 1


async def test_only_the_owner_allows_and_a_refusal_in_a_group_is_private(agent: FakeAgent, owned: Bot) -> None:
    agent.people.grant("test", GrantKind.chat, "team", "Team")
    await owned.say("/allow", **GROUP)
    reply = await owned.press("This chat", **GROUP | EVE)
    assert reply.private
    assert "Only the owner of this machine (Ada) may allow" in flat(reply.text)
    assert (await owned.say("/allow chat", **GROUP | EVE)).private
    assert len(agent.people.grants) == 2


async def test_deny_says_no_to_a_person_and_takes_from_a_chat_what_it_was_allowed(agent: FakeAgent, owned: Bot) -> None:
    agent.people.grant("test", GrantKind.chat, "team", "Team")
    assert not (await owned.say("/gpu", **GROUP | EVE)).private
    reply = await owned.say("/deny", mentioned=(Named(id="eve", name="Eve"),), **GROUP)
    assert flat(reply.text).startswith("Eve may not use this machine")
    reply = await owned.say("/gpu", **GROUP | EVE)
    assert reply.private
    assert "You were denied" in reply.text
    await owned.say("/deny chat", **GROUP)
    assert granted(agent) == [("person", "ada", "owner"), ("person", "eve", "denied")]


async def test_who_lists_what_counts_here_with_a_button_for_each(agent: FakeAgent, owned: Bot) -> None:
    agent.people.grant("test", GrantKind.chat, "team", "Team")
    agent.people.grant("test", GrantKind.chat, "attic", "Attic")
    agent.people.grant("test", GrantKind.person, "17", "Mia", Role.admin)
    reply = await owned.say("/who", **GROUP)
    assert reply.text == (
        "Who may do what\n\nOwner: may do everything\n- Ada\n\nAdmins: act on anybody's job\n- Mia\n\n"
        "Members: start jobs, stop their own\n- whoever is in Team\n\nand 1 more elsewhere"
    )
    assert [button.label for button in reply.buttons] == ["Remove Team", "Remove Mia"]
    assert all(len(button.line.encode()) <= 64 for button in reply.buttons)
    reply = await owned.press("Remove Mia", **GROUP)
    assert "Mia" not in reply.text
    assert len(owned.chat.messages) == 1
    assert "Attic" in (await owned.say("/who")).text


async def test_who_tells_others_their_own_part_and_gives_no_button(agent: FakeAgent, owned: Bot) -> None:
    agent.people.grant("test", GrantKind.chat, "team", "Team")
    reply = await owned.say("/who", **GROUP | EVE)
    assert flat(reply.text).startswith("You may use this machine: start jobs")
    assert not reply.buttons
    assert "ask them to let you in" in flat((await owned.say("/who", **EVE)).text)
    assert "do not know this button" in flat((await owned.say("/who take:x")).text)


async def test_a_stranger_is_greeted_in_private_with_whom_to_ask(agent: FakeAgent, bot: Bot) -> None:
    agent.people.guard()
    for line in ("", "/help"):
        text = flat((await bot.say(line, **EVE)).text)
        assert text.startswith("Hello! I teach language models")
        assert "as in /pair ABCD-EFGH" in text
    agent.people.own("test", "ada", "Ada")
    assert "It belongs to Ada." in flat((await bot.say("", **EVE)).text)
    assert "did not quite get that" in flat((await bot.say("", **ADA)).text)


async def test_a_stranger_reaches_nothing_and_reads_whom_to_ask(agent: FakeAgent, owned: Bot) -> None:
    job = agent.add_job()
    agent.step(job.id, 5)
    for line in ("/gpu", "/jobs", "/queue", "/log #1", "/cancel #1 yes", "/pause", "/pause #1", "/dataset", "/models"):
        reply = await owned.say(line, **EVE)
        assert "Ask the owner of this machine (Ada) to allow you" in flat(reply.text), line
        owned.core.bursts._purses.clear()
    await owned.say("/finetune", dataset(), **EVE)
    assert not agent.files
    assert agent.jobs[job.id].status == "running"


async def test_an_allowance_given_while_the_agent_is_away_is_kept_with_whom_it_means(
    agent: FakeAgent, owned: Bot
) -> None:
    await agent.stop()
    await owned.say("/allow", mentioned=(Named(id="17", name="Mia"),), **GROUP)
    assert owned.chat.last.text.startswith("Queued until the PC is back")
    await agent.restart()
    await owned.until(lambda: len(agent.people.grants) == 2, step_s=1)
    assert (agent.people.grants[1].id, agent.people.grants[1].name) == ("17", "Mia")


@pytest.mark.parametrize("line", ["/allow", "/deny", "/who", "/pair", "/help people", "", "/dataset help"])
async def test_every_answer_fits_a_phone(agent: FakeAgent, owned: Bot, line: str) -> None:
    agent.people.grant("test", GrantKind.role, "r", "A role with a name that is much longer than a line of a phone")
    reply = await owned.say(line, **GROUP)
    assert fits(reply.text)
    assert all(len(button.label) <= 20 and len(button.line.encode()) <= 64 for button in reply.buttons)


async def test_whoever_sits_at_the_machine_is_not_told_that_nobody_may_use_it(bot: Bot) -> None:
    told = (await bot.say("/who", platform="terminal")).text
    assert "You sit at the machine and may do everything. Nobody else is allowed yet." in told
