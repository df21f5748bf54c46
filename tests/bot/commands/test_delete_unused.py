"""/delete unused: datasets of long ago go, once they were named and it was pressed; /gpu says how many there are."""

import pytest

from shared.errors import ErrorCode, ErrorDetail
from shared.people import GrantKind
from tests.bot.harness import Bot, dataset
from tests.fakes.agent_server import FakeAgent

LINES = "Unused for 30 days: 2 datasets, 34 B.\n/delete unused asks, then removes them."


@pytest.fixture
async def old(agent: FakeAgent, bot: Bot) -> list[str]:
    """Two datasets that nobody used for long, beside one that is in use."""
    for name in ("one.jsonl", "two.jsonl", "in-use.jsonl"):
        await bot.say("/dataset", dataset(name))
    first, second, _in_use = agent.files
    agent.unused = {first, second}
    return [first, second]


async def test_gpu_says_how_many_there_are_and_how_to_be_rid_of_them(
    agent: FakeAgent, bot: Bot, old: list[str]
) -> None:
    assert LINES in (await bot.say("/gpu")).text
    agent.unused.remove(old[0])
    assert "30 days: 1 dataset, 17 B." in (await bot.say("/gpu")).text
    agent.unused.clear()
    assert "nused" not in (await bot.say("/gpu")).text
    agent.refuse["/v1/datasets/unused"] = ErrorDetail(message="No such route.", type="x", code=ErrorCode.not_found)
    assert (await bot.say("/gpu")).text.startswith("Free")


async def test_they_are_named_and_go_only_after_the_press(agent: FakeAgent, bot: Bot, old: list[str]) -> None:
    question = await bot.say("/delete unused")
    assert question.text == (
        "Delete the 2 datasets that nobody used for 30 days, 34 B in all?\n\n- one.jsonl, 17 B\n- two.jsonl, 17 B\n\n"
        "A job that learned from one of them cannot be run again. Finished models stay."
    )
    assert set(old) < set(agent.files)
    assert (await bot.press("Yes, delete")).text == "Deleted: 2 datasets, 34 B."
    assert [file.filename for file, _ in agent.files.values()] == ["in-use.jsonl"]
    assert "No dataset was left unused" in " ".join((await bot.say("/delete unused")).text.split())


async def test_they_stay_by_the_other_button(agent: FakeAgent, bot: Bot, old: list[str]) -> None:
    await bot.say("/delete unused")
    assert (await bot.press("Keep them")).text == "They stay."
    assert set(old) < set(agent.files)


async def test_what_was_not_named_is_asked_about_anew(agent: FakeAgent, bot: Bot, old: list[str]) -> None:
    first = await bot.say("/delete unused")
    agent.unused = set(agent.files)
    again = await bot.press("Yes, delete")
    assert "in-use.jsonl" in again.text
    assert len(agent.files) == 3
    await bot.press("Yes, delete")
    assert not agent.files
    assert (
        await bot.say(first.buttons[0].line, message_id="m1")
    ).text == "None of them is unused any more, so nothing was deleted."


async def test_a_yes_that_names_nothing_is_no_press(agent: FakeAgent, bot: Bot, old: list[str]) -> None:
    assert (await bot.say("/delete unused yes")).text.startswith("Delete the 2 datasets")
    assert set(old) < set(agent.files)


async def test_a_member_removes_their_own_and_no_one_elses(agent: FakeAgent, bot: Bot, old: list[str]) -> None:
    agent.people.own("test", "ada", "Ada")
    agent.people.grant("test", GrantKind.person, "tom", "Tom")
    assert "No dataset was left" in (await bot.say("/delete unused", person="tom")).text
    mias = agent.made_by[old[1]]
    assert mias is not None
    agent.made_by[old[1]] = mias.model_copy(update={"person": "tom"})
    assert "two.jsonl" in (await bot.say("/delete unused", person="tom")).text
    await bot.press("Yes, delete", person="tom")
    assert (old[0] in agent.files, old[1] in agent.files) == (True, False)


async def test_one_that_is_used_meanwhile_stays(agent: FakeAgent, bot: Bot, old: list[str]) -> None:
    await bot.say("/delete unused")
    agent.refuse[f"/v1/files/{old[0]}"] = ErrorDetail(message="In use.", type="x", code=ErrorCode.file_in_use)
    assert (await bot.press("Yes, delete")).text == "Deleted: 1 dataset, 17 B."
    assert (old[0] in agent.files, old[1] in agent.files) == (True, False)


async def test_a_long_list_is_cut_and_says_so(agent: FakeAgent, bot: Bot, old: list[str]) -> None:
    agent.unused = {agent.add_file(f"rows-{number}.jsonl", b"x").id for number in range(12)}
    text = (await bot.say("/delete unused")).text
    assert text.count("\n- rows-") == 10
    assert "and 2 more" in text
