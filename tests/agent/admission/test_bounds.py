"""How much one person and one key may have, and what they are told at the bound."""

import pytest

from agent.admission.bounds import BOUNDS, Party, Use, check
from agent.admission.disk import MIB, Disk
from agent.admission.in_flight import InFlight
from agent.errors import AgentError
from shared.errors import ErrorCode

MIA = Party(person=("discord", "17"), key="bot", platforms=("discord",))
TOM = Party(person=("discord", "18"), key="bot", platforms=("discord",))
OWNER = Party(person=None, key="owner", platforms=None, unbounded=True)


@pytest.mark.parametrize("use", list(Use))
def test_at_the_bound_a_person_is_told_it_what_they_have_and_when_to_come_back(use: Use) -> None:
    bound = BOUNDS[use]
    check(use, MIA, of_person=bound.person - 1, of_key=0)
    with pytest.raises(AgentError) as refused:
        check(use, MIA, of_person=bound.person, of_key=0)
    told = refused.value.message
    assert refused.value.code in (ErrorCode.too_much_at_once, ErrorCode.too_much_stored)
    figure = bound.person if use is not Use.stored else 20
    assert told.count(str(figure)) == 2
    assert told.endswith(bound.again)
    assert ("/delete unused" in told) is (use is Use.stored)


@pytest.mark.parametrize("use", list(Use))
def test_all_behind_one_key_have_a_bound_together_and_the_owner_has_none(use: Use) -> None:
    with pytest.raises(AgentError, match="from here"):
        check(use, MIA, of_person=0, of_key=BOUNDS[use].key)
    check(use, OWNER, of_person=10**15, of_key=10**15)


def test_what_has_ended_is_counted_no_more_and_only_once() -> None:
    counts = InFlight()
    leaves = [counts.enter(Use.plan, MIA) for _ in range(BOUNDS[Use.plan].person)]
    with pytest.raises(AgentError, match="4 plans in the making"):
        counts.enter(Use.plan, MIA)
    counts.enter(Use.plan, TOM)()
    leaves[0]()
    leaves[0]()
    with counts.inside(Use.plan, MIA), pytest.raises(AgentError):
        counts.enter(Use.plan, MIA)
    for leave in leaves:
        leave()
    assert not counts._counts


def test_files_on_their_way_are_counted_against_the_floor() -> None:
    free = [1000 * MIB]
    disk = Disk(None, floor_mib=100, free=lambda _folder: free[0])  # type: ignore[arg-type]
    with disk.room(500 * MIB) as first:
        with pytest.raises(AgentError, match="1000 MiB free, 500 MiB of them for files on their way, and 100 MiB"):
            disk.check(401 * MIB)
        first.write(300 * MIB)
        free[0] -= 300 * MIB
        disk.check(400 * MIB)
        free[0] = 250 * MIB  # something else fills the disk
        with pytest.raises(AgentError, match="no room"):
            first.write(MIB)
    free[0] = 1000 * MIB
    disk.check(900 * MIB)
