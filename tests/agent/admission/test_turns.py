"""Whose turn it is."""

import asyncio
from collections import Counter

import pytest

from agent.admission.turns import Turns


async def play(turns: Turns, asked: list[str], *, hold: asyncio.Event) -> list[str]:
    """Ask for turns in this order; return in which order they came, each handed on once `hold` is set."""
    came: list[str] = []

    async def take(whose: str) -> None:
        async with turns.turn(whose):
            came.append(whose)
            await hold.wait()

    tasks = [asyncio.create_task(take(whose)) for whose in asked]
    await asyncio.sleep(0)
    before = list(came)
    hold.set()
    await asyncio.gather(*tasks)
    return [*before, "|", *came[len(before) :]]


async def test_of_many_files_of_one_person_one_is_read_at_a_time() -> None:
    assert await play(Turns(at_once=2), ["mia"] * 3, hold=asyncio.Event()) == ["mia", "|", "mia", "mia"]


async def test_who_comes_behind_a_flood_has_the_next_free_turn() -> None:
    came = await play(Turns(at_once=2), ["mia"] * 300 + ["tom"], hold=asyncio.Event())
    assert came[:3] == ["mia", "tom", "|"]


async def test_persons_take_turns() -> None:
    hold = asyncio.Event()
    came = await play(Turns(at_once=1), ["mia", "mia", "mia", "tom", "tom", "eve"], hold=hold)
    assert came == ["mia", "|", "tom", "eve", "mia", "tom", "mia"]


@pytest.mark.parametrize("at_the_same_moment", [False, True])
async def test_who_gives_up_waiting_takes_no_turn_along(at_the_same_moment: bool) -> None:
    turns = Turns(at_once=1)
    inside, go = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with turns.turn("mia"):
            inside.set()
            await go.wait()

    async def other() -> None:
        async with turns.turn("tom"):
            pass

    having, leaving = asyncio.create_task(first()), asyncio.create_task(other())
    await inside.wait()
    await asyncio.sleep(0)
    if at_the_same_moment:
        go.set()
        await asyncio.sleep(0)
    leaving.cancel()
    go.set()
    await asyncio.gather(having, leaving, return_exceptions=True)
    async with asyncio.timeout(1), turns.turn("eve"):
        pass
    assert not turns._waiting
    assert turns._inside == Counter()
