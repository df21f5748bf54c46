"""What a key may do without asking who is meant."""

import pytest

from agent.auth.keys import (
    BOT,
    BOT_ITSELF,
    OWNER,
    SECRET,
    Key,
    KeyKind,
    check_bot_itself,
    check_scope,
    digest,
    new_secret,
)
from agent.auth.permissions import Thing
from agent.errors import AgentError
from shared.people import Action, RequestedBy

MIA = RequestedBy(platform="telegram", person="17", chat="-1001", name="Mia")
AT_HOME = RequestedBy(platform="terminal", person="me", chat="home")
PROGRAM = Key(name="laptop", kind=KeyKind.program, platforms=("telegram",), person="17")


def test_the_owners_key_speaks_for_anybody_and_for_its_holder() -> None:
    assert [OWNER.speaks_for(who) for who in (None, MIA, AT_HOME)] == [None, MIA, AT_HOME]


def test_a_bots_key_speaks_for_its_platforms_alone_and_never_for_a_terminal() -> None:
    assert BOT.speaks_for(MIA) == MIA
    with pytest.raises(AgentError, match="terminal of the GPU machine"):
        BOT.speaks_for(AT_HOME)
    with pytest.raises(AgentError, match="discord alone, not for Mia"):
        Key(name="d", kind=KeyKind.bot, platforms=("discord",)).speaks_for(MIA)


def test_a_programs_key_is_its_person_in_no_chat_of_theirs() -> None:
    for given in (None, MIA):
        who = PROGRAM.speaks_for(given)
        assert who is not None
        assert (who.platform, who.person, who.chat) == ("telegram", "17", "key:laptop")
    with pytest.raises(AgentError, match="telegram 17 alone"):
        PROGRAM.speaks_for(MIA.model_copy(update={"person": "18"}))


@pytest.mark.parametrize("action", sorted(SECRET))
def test_pairing_codes_are_for_owners_keys(action: Action) -> None:
    check_scope(OWNER, action)
    for key in (BOT, PROGRAM):
        with pytest.raises(AgentError, match="hearth-agent pairing-code"):
            check_scope(key, action)


def test_a_bot_itself_looks_and_changes_nothing() -> None:
    changing = {Action.start_job, Action.cancel_job, Action.pause_machine, Action.change_people, Action.delete_file}
    assert not BOT_ITSELF & (changing | SECRET)
    for action in set(Action) - BOT_ITSELF:
        with pytest.raises(AgentError, match="in whose name"):
            check_bot_itself(BOT, action)


def test_a_bot_itself_reaches_what_its_people_made() -> None:
    check_bot_itself(BOT, Action.watch_job, Thing(name="Job #1", made_by=MIA))
    for maker in (None, AT_HOME):
        with pytest.raises(AgentError, match="Job #2 is not of discord / telegram"):
            check_bot_itself(BOT, Action.watch_job, Thing(name="Job #2", made_by=maker))


def test_secrets_are_long_all_different_and_never_stored() -> None:
    first, second = new_secret(), new_secret()
    assert first != second
    assert len(first) > 40
    assert first not in digest(first)
