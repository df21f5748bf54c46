"""The whole matrix of rights: role × action × own or other's × chat."""

import itertools

import pytest

from agent.auth.permissions import People, Thing, abilities, authorize, role_of
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.people import Action, Grant, GrantKind, RequestedBy, Role

# no: never. own: only with what they asked for themselves. here: that, and what was asked for in the same chat.
# all: with anybody's, wherever. private: all, where nobody else reads the chat.
MATRIX = """
action          stranger  denied  member  admin  owner    key
pair            all       all     all     all    all      all
see_self        all       all     all     all    all      all
see_machine     no        no      all     all    all      all
see_queue       no        no      all     all    all      all
start_job       no        no      here    all    all      all
use_plan        no        no      own     all    all      all
see_plan        no        no      here    all    all      all
see_file        no        no      here    all    all      all
delete_file     no        no      own     all    all      all
link_file       no        no      here    all    all      all
try_model       no        no      here    all    all      all
watch_job       no        no      here    all    all      all
cancel_job      no        no      own     all    all      all
pause_job       no        no      own     all    all      all
resume_job      no        no      own     all    all      all
pause_machine   no        no      no      all    all      all
follow_all      no        no      no      all    all      all
see_people      no        no      no      all    all      all
change_people   no        no      no      no     all      all
approve_model   no        no      no      all    all      all
move_chat       no        no      no      no     no       all
make_code       no        no      no      no     private  all
read_code       no        no      no      no     no       all
"""
[HEADINGS, *ROWS] = [line.split() for line in MATRIX.strip().splitlines()]
CELLS = [(action, role, cell) for action, *cells in ROWS for role, cell in zip(HEADINGS[1:], cells, strict=True)]


def person(name: str = "mia", *, chat: str = "kitchen", private: bool = False, **more: object) -> RequestedBy:
    return RequestedBy.model_validate(
        {"platform": "discord", "person": name, "chat": chat, "name": name.title(), "private": private, **more}
    )


def grant(role: Role, subject: str = "mia", kind: GrantKind = GrantKind.person, platform: str = "discord") -> Grant:
    return Grant(platform=platform, kind=kind, id=subject, name=subject.title(), role=role, created_at=0)


OWNER = grant(Role.owner, "olga")
THINGS = {
    "nothing in particular": None,
    "own": Thing(name="Job #1", made_by=person("mia", chat="elsewhere")),
    "here": Thing(name="Job #1", made_by=person("tom", chat="kitchen")),
    "elsewhere": Thing(name="Job #1", made_by=person("tom", chat="elsewhere")),
    "of another platform": Thing(name="Job #1", made_by=RequestedBy(platform="telegram", person="mia", chat="kitchen")),
    "of the key": Thing(name="Job #1", made_by=None),
}
REACHED = {
    "no": set(),
    "own": {"nothing in particular", "own"},
    "here": {"nothing in particular", "own", "here"},
    "all": set(THINGS),
}


def test_matrix_has_every_action_and_every_role() -> None:
    assert [row[0] for row in ROWS] == [action.value for action in Action]
    assert {*HEADINGS[1:]} == {*Role, "key"}


@pytest.mark.parametrize(("action", "role", "cell"), CELLS)
def test_who_may_what_with_whose_in_which_chat(action: str, role: str, cell: str) -> None:
    people = People(grants=(OWNER,) if role in ("stranger", "key") else (OWNER, grant(Role(role))))
    for (whose, thing), private in itertools.product(THINGS.items(), (False, True)):
        who = None if role == "key" else person(private=private)
        word = ("all" if private else "no") if cell == "private" else cell
        if whose in REACHED[word]:
            assert authorize(who, Action(action), people=people, thing=thing) == ("owner" if role == "key" else role)
            continue
        with pytest.raises(AgentError) as refused:
            authorize(who, Action(action), people=people, thing=thing)
        assert refused.value.code is ErrorCode.not_allowed
        assert refused.value.message.endswith((".", "/allow."))


def test_whoever_sits_at_the_terminal_holds_the_key() -> None:
    at_home = RequestedBy(platform="terminal", person="x", chat="home")
    assert authorize(at_home, Action.read_code, people=People()) is Role.owner
    assert abilities(at_home, People()) == list(Action)


@pytest.mark.parametrize(
    ("grants", "role"),
    [
        ([], Role.stranger),
        ([grant(Role.member)], Role.member),
        ([grant(Role.member, platform="telegram")], Role.stranger),
        ([grant(Role.member, "tom")], Role.stranger),
        ([grant(Role.member, "r2", GrantKind.role)], Role.member),
        ([grant(Role.admin, "r2", GrantKind.role), grant(Role.member, "home", GrantKind.server)], Role.admin),
        ([grant(Role.member, "kitchen", GrantKind.chat)], Role.member),
        ([grant(Role.member, "attic", GrantKind.chat)], Role.stranger),
        ([grant(Role.member, "home", GrantKind.server)], Role.member),
        ([grant(Role.member, "mia", GrantKind.chat)], Role.stranger),
        ([grant(Role.denied), grant(Role.admin, "r1", GrantKind.role)], Role.denied),
        ([grant(Role.member, "home", GrantKind.server), grant(Role.denied)], Role.denied),
        ([grant(Role.member), grant(Role.admin, "r1", GrantKind.role)], Role.member),
    ],
)
def test_role_is_ones_own_first_then_the_most_of_role_chat_and_server(grants: list[Grant], role: Role) -> None:
    who = person(server="home", roles=("r1", "r2"))
    assert role_of(who, People(grants=tuple(grants))) is role


def test_server_and_roles_count_only_where_they_are_sent() -> None:
    people = People(grants=(OWNER, grant(Role.member, "home", GrantKind.server)))
    assert role_of(person(private=True), people) is Role.stranger
    with pytest.raises(AgentError, match="by name"):
        authorize(person(private=True), Action.start_job, people=people)


@pytest.mark.parametrize(
    ("people", "action", "thing", "words"),
    [
        (People(), Action.start_job, None, "/pair and the code"),
        (People(grants=(OWNER,)), Action.start_job, None, "Ask the owner of this machine (Olga) to allow you"),
        (People(grants=(OWNER, grant(Role.denied))), Action.start_job, None, "If that is a mistake"),
        (People(grants=(OWNER, grant(Role.member))), Action.cancel_job, "here", "Job #1 was started by Tom. Only they"),
        (People(grants=(OWNER, grant(Role.member))), Action.watch_job, "elsewhere", "in another chat, by Tom"),
        (People(grants=(OWNER, grant(Role.member))), Action.cancel_job, "of the key", "at the machine itself"),
        (People(grants=(OWNER, grant(Role.member))), Action.pause_machine, None, "and admins may pause"),
        (
            People(grants=(OWNER, grant(Role.admin))),
            Action.change_people,
            None,
            "Only the owner of this machine (Olga)",
        ),
        (People(grants=(grant(Role.owner),)), Action.make_code, None, "in a private chat"),
        (People(grants=(grant(Role.owner),)), Action.read_code, None, "where the agent runs"),
    ],
)
def test_refusal_says_who_may_and_what_to_do_next(
    people: People, action: Action, thing: str | None, words: str
) -> None:
    with pytest.raises(AgentError) as refused:
        authorize(person(), action, people=people, thing=THINGS[thing] if thing else None)
    assert words in refused.value.message
