"""Whom the agent is told about: rights belong to channels, servers, roles and people, wherever a message lands."""

from pathlib import Path

import pytest

from bot.core.call import Call, Named
from bot.core.chat import Answer
from bot.core.reply import Reply
from bot.dispatch.command import Command, Core
from shared.people import GrantKind, RequestedBy
from tests.bot.discord_ui import harness
from tests.bot.discord_ui.harness import MIA, Story, running_bot
from tests.fakes.discord_server import Person
from tests.fakes.discord_server.interactions import COMMAND
from tests.fakes.discord_server.rules import Json
from tests.fakes.discord_server.world import GUILD, ME, THREAD, user_json

CREW = 9100
MENTIONABLE = 9


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Call]:
    """Have a table of two commands that note their calls."""
    heard: list[Call] = []

    async def run(call: Call, _core: Core, answer: Answer) -> None:
        heard.append(call)
        await answer.show(Reply(summary="Heard."))

    asks = Command(name="ask", usage="", summary="note who asks", run=run)
    allows = Command(name="allow", usage="[who]", summary="note who is meant", run=run)
    monkeypatch.setattr(harness, "COMMANDS", (asks, allows))
    return heard


async def test_a_call_in_a_channel_names_channel_server_and_roles(
    story: Story, calls: list[Call], tmp_path: Path
) -> None:
    story.discord.world.roles[CREW] = "crew"
    mia = Person(story.discord, MIA, "Mia", role=CREW)
    async with running_bot(story, tmp_path):
        await story.until(lambda: story.front_end.open_chat(str(story.team)))
        happened = await mia.slash("ask", channel=story.team)
        await story.says("Heard.")
    call = calls[0]
    assert (call.id, call.chat_id, call.chat_name, call.server_name) == (
        str(happened.id),
        str(story.team),
        "#team",
        "Team",
    )
    person = call.requested_by
    assert (person.platform, person.person, person.name) == ("discord", str(MIA), "Mia")
    assert (person.chat, person.server, person.roles, person.private) == (
        str(story.team),
        str(GUILD),
        (str(CREW),),
        False,
    )


async def test_a_call_in_a_thread_has_the_rights_of_its_channel_and_is_answered_in_the_thread(
    story: Story, calls: list[Call], tmp_path: Path
) -> None:
    thread = story.discord.world.add_channel(type=THREAD, name="toast-1", parent=story.team, owner=ME).id
    async with running_bot(story, tmp_path):
        await story.mia.slash("ask", channel=thread)
        await story.says("Heard.", channel=thread)
        await story.front_end.open_chat(calls[0].chat_id).post(Reply(summary="Later."))  # type: ignore[union-attr]
    assert calls[0].chat_id == f"{story.team}:{thread}"
    assert calls[0].requested_by.chat == str(story.team)
    assert [message.text for message in story.shown(thread)] == ["Heard.", "Later."]
    assert story.shown() == []


async def test_a_direct_message_is_private_and_on_no_server(story: Story, calls: list[Call], tmp_path: Path) -> None:
    async with running_bot(story, tmp_path):
        await story.mia.slash("ask")
        await story.says("Heard.", channel=story.mia.direct)
    person = calls[0].requested_by
    assert (person.private, person.server, person.roles) == (True, None, ())
    assert person.chat == str(story.mia.direct)


@pytest.mark.parametrize(
    ("value", "resolved", "expected"),
    [
        ("8", {"users": {"8": user_json(8, "Noor")}}, Named(id="8", name="Noor")),
        (str(CREW), {"roles": {}}, Named(id=str(CREW), name="crew", kind=GrantKind.role)),
        (str(GUILD), {"roles": {}}, Named(id=str(GUILD), name="Team", kind=GrantKind.server)),
        ("11", {"users": {"11": user_json(11, "Robot", bot=True)}}, None),
    ],
    ids=["a person", "a role", "everyone", "a bot"],
)
async def test_whoever_is_chosen_reaches_the_command_by_id(
    story: Story, calls: list[Call], tmp_path: Path, value: str, resolved: Json, expected: Named | None
) -> None:
    story.discord.world.roles[CREW] = "crew"
    async with running_bot(story, tmp_path):
        roles = {role["id"]: role for role in story.discord.world.guild_json()["roles"]}
        resolved = {kind: known or {value: roles[value]} for kind, known in resolved.items()}
        command = next(it for it in story.discord.rest.commands if it["name"] == "allow")
        who = {"name": "who", "type": MENTIONABLE, "value": value}
        data = {"id": command["id"], "name": "allow", "type": 1, "options": [who], "resolved": resolved}
        await story.mia._do(COMMAND, data, story.team)
        await story.says("Heard.")
    assert calls[0].mentioned == ((expected,) if expected else ())
    assert bool(calls[0].arguments) == (expected is None)  # a bot is named in words, and the command says no


async def test_roles_are_looked_up_as_they_are_now(story: Story, tmp_path: Path) -> None:
    story.discord.world.roles[CREW] = "crew"
    Person(story.discord, MIA, "Mia", role=CREW)
    who = RequestedBy(platform="discord", person=str(MIA), chat="1", server=str(GUILD), roles=("77",))
    async with running_bot(story, tmp_path):
        await story.until(lambda: story.front_end.open_chat(str(story.team)))
        assert (await story.front_end.as_now(who)).roles == (str(CREW),)
        story.discord.world.members[MIA].clear()
        assert (await story.front_end.as_now(who)).roles == ()
        del story.discord.world.members[MIA]  # they left the server
        assert (await story.front_end.as_now(who)).roles == ()
