"""/settings: what a person and a chat set, and that it counts."""

from typing import Any

import pytest

from bot.core.capabilities import Capabilities
from bot.errors import StorageError
from shared.jobs import JobStatus
from shared.people import GrantKind
from tests.bot.harness import Bot, fits
from tests.bot.one_job import card, started
from tests.bot.time_zone import living_in
from tests.fakes.agent_server import NOW, FakeAgent

GROUP: dict[str, Any] = {"private": False, "chat_name": "Team", "rights_chat_id": "team", "server": "home"}
MAIN = ["Language", "Time zone", "Do not send models", "Without sound"]


def labels(bot: Bot) -> list[str]:
    return [button.label for button in bot.chat.last.buttons]


async def test_one_card_shows_all_and_changes_in_place(bot: Bot) -> None:
    reply = await bot.say("/settings")
    assert "Language: As the app says\nTime zone: this machine's, " in reply.text
    assert "The finished model: is sent when a job ends\nMessages: with sound" in reply.text
    assert fits(reply.text)
    assert labels(bot) == MAIN
    await bot.press("Language")
    assert labels(bot) == ["English", "Deutsch", "Back"]
    await bot.press("Back")
    await bot.press("Time zone")
    assert all(len(label) <= 20 for label in labels(bot))
    assert all(len(button.line.encode()) <= 64 for button in bot.chat.last.buttons)
    await bot.press("Back")
    await bot.press("Do not send models")
    await bot.press("Without sound")
    assert "waits until you ask for it\nMessages: without sound" in bot.chat.last.text
    assert labels(bot) == ["Language", "Time zone", "Send models", "With sound"]
    assert len(bot.chat.messages) == 1


async def test_a_language_counts_for_its_person_everywhere_and_for_the_agent(agent: FakeAgent, bot: Bot) -> None:
    await bot.say("/settings language de", locale="en-GB")
    assert (await bot.say("/jobs", locale="en-GB", chat_id="other")).text.startswith("Noch keine Jobs")
    assert (await bot.say("/jobs", locale="en-GB", person="tom")).text.startswith("No job")
    await bot.say("/finetune sample", locale="en-GB")
    asked = agent.plan_requests[0].requested_by
    assert asked is not None
    assert asked.language == "de"
    await bot.say("/settings sprache: auto", locale="en-GB")
    assert (await bot.say("/jobs", locale="en-GB")).text.startswith("No job")


async def test_a_live_card_changes_its_language_at_once(agent: FakeAgent, bot: Bot) -> None:
    job_id = await started(agent, bot)
    agent.step(job_id, 20)
    await bot.until(lambda: "training 44 %" in card(bot), step_s=0.5)
    await bot.say("/settings language de")
    await bot.until(lambda: "zurückgehalten" in card(bot), step_s=0.5)


async def test_times_are_shown_and_read_in_the_zone_of_their_person(agent: FakeAgent, bot: Bot) -> None:
    with living_in("Europe/Berlin"):
        reply = await bot.say("/settings zone tokyo")
        shown = reply.text.partition("Time zone: Tokyo, ")[2]
        await bot.say("/finetune sample at:22:00")
        assert "22:00 JST" in " ".join(bot.chat.last.text.split())
        await bot.press("Start")
        start_at = next(iter(agent.jobs.values())).start_at
        assert start_at is not None
        assert (start_at + 9 * 3600) % 86_400 == 22 * 3600
        assert shown.startswith(f"{(NOW + 9 * 3600) % 86_400 // 3600:02}:")
        await bot.say("/settings zone auto")
        assert "Time zone: this machine's" in bot.chat.last.text


@pytest.mark.parametrize(
    ("said", "shown"),
    [("+2", "UTC+02:00"), ("utc-5:30", "UTC-05:30"), ("new york", "New York"), ("Europe/Berlin", "Berlin"),
     ("Zürich", "Zurich"), ("Wien", "Vienna"), ("UTC", "UTC")],
)  # fmt: skip
async def test_a_zone_is_named_by_city_offset_or_name(bot: Bot, said: str, shown: str) -> None:
    assert f"Time zone: {shown}, " in (await bot.say(f"/settings zone {said}")).text


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("/settings zone Berln", "I know no time zone Berln. Did you mean Europe/Berlin?"),
        ("/settings zone xqzw", "Name a larger city near you, or write +2."),
        ("/settings zone +25", "I know no time zone +25."),
        ("/settings zone ../../etc/passwd", "I know no time zone"),
        ("/settings language klingon", "It cannot be klingon. Write one of: auto, en, de"),
        ("/settings files maybe", "It cannot be maybe. Write one of: yes, no"),
        ("/settings colour red", "I cannot set colour red."),
        ("/settings !", "I cannot set !."),
    ],
)
async def test_a_slip_is_answered_with_what_is_possible(bot: Bot, line: str, said: str) -> None:
    assert said in (await bot.say(line)).text
    assert "this machine's" in (await bot.say("/settings")).text


async def test_a_model_that_is_not_wanted_by_itself_waits_behind_files(agent: FakeAgent, bot: Bot) -> None:
    await bot.say("/settings files no")
    job_id = await started(agent, bot)
    agent.succeed(job_id)
    await bot.until(lambda: any("is ready" in text for text in bot.chat.texts), step_s=1)
    result = bot.chat.last
    assert not result.files
    assert len(result.copy) == 1
    assert "Its files are not sent by themselves here: /status #1 files" in " ".join(result.text.split())
    assert [file.name for file in (await bot.press("Files")).files][:2] == ["adapter_model.safetensors", "Modelfile"]


async def test_what_was_kept_of_a_failed_job_is_sent_all_the_same(agent: FakeAgent, bot: Bot) -> None:
    await bot.say("/settings files no")
    job_id = await started(agent, bot)
    agent.succeed(job_id)
    agent.change(job_id, status=JobStatus.failed)
    await bot.until(lambda: any("did not finish" in text for text in bot.chat.texts), step_s=1)
    assert bot.chat.last.files


async def test_a_quiet_chat_gets_no_sound_and_its_person_is_named_all_the_same(agent: FakeAgent, bot: Bot) -> None:
    assert not (await bot.say("/gpu")).silent
    await bot.say("/settings quiet yes")
    assert (await bot.say("/gpu")).silent
    assert not (await bot.say("/gpu", chat_id="other")).silent
    job_id = await started(agent, bot)
    agent.succeed(job_id)
    await bot.until(lambda: any("is ready" in text for text in bot.chat.texts), step_s=1)
    assert (bot.chat.last.silent, bot.chat.last.mention) == (True, "mia")
    await bot.say("/settings quiet no")
    assert not (await bot.say("/gpu")).silent


async def test_a_chat_that_makes_no_sound_offers_none(bot: Bot) -> None:
    bot.chat._capabilities = Capabilities(**{**vars(bot.chat.capabilities), "sounds": False})
    assert "Messages" not in (await bot.say("/settings")).text
    assert labels(bot) == MAIN[:3]
    assert "makes no sound anyway" in (await bot.say("/settings quiet yes")).text


async def test_in_a_group_what_is_for_all_is_set_by_who_may_use_the_machine(agent: FakeAgent, bot: Bot) -> None:
    agent.people.own("test", "ada", "Ada")
    agent.people.grant("test", GrantKind.person, "mia", "Mia")
    reply = await bot.say("/settings quiet yes", person="eve", name="Eve", **GROUP)
    assert "only who may use this machine" in reply.text
    reply = await bot.say("/settings zone Tokyo", person="eve", name="Eve", **GROUP)
    assert reply.text.startswith("Settings · Eve\n")
    assert "Language and time zone are yours alone." in reply.text
    assert "Messages: without sound" in (await bot.say("/settings quiet yes", name="Mia", **GROUP)).text
    assert "this machine's" in bot.chat.last.text


async def test_what_cannot_be_kept_is_said(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> None:
        raise StorageError("the disk is full")

    monkeypatch.setattr(bot.core.preferences._db, "write", refuse)
    assert "the disk is full" in (await bot.say("/settings quiet yes")).text
    monkeypatch.setattr(bot.core.preferences._db, "rows", refuse)
    assert "Messages: with sound" in (await bot.say("/settings")).text


async def test_settings_outlive_a_restart_of_the_bot(agent: FakeAgent, bot: Bot) -> None:
    await bot.say("/settings zone +5:30")
    await bot.say("/settings files no")
    again = type(bot.core.preferences)(bot.core.preferences._db)
    assert again.person("test", "mia").zone == "+05:30"
    assert not again.chat("test", "room").files
