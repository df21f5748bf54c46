"""/dataset: look at data without training on it; what others read along is shown only on request."""

import json

import pytest

from bot.cards.dataset import EXAMPLES, FORMS
from shared.errors import ErrorCode
from shared.inspections import DatasetForm
from tests.bot.harness import Bot, dataset, fits
from tests.fakes.agent_server import FakeAgent, refusal


async def test_a_file_is_understood_and_not_planned(agent: FakeAgent, bot: Bot) -> None:
    reply = await bot.say("/dataset", dataset("mia.jsonl"))
    assert reply.text.startswith("mia.jsonl · 104 chat rows\nIt learns the answers: 61 % of the text.")
    assert "7 rows left out\n- line 7: the answer is empty" in reply.text
    assert "as the model sees it" in reply.text
    assert [button.label for button in reply.buttons] == ["Fine-tune"]
    assert not agent.plans
    assert (await bot.press("Fine-tune")).title == "mia.jsonl · 104 chat rows → toast"


async def test_in_a_group_a_row_is_shown_only_on_request(bot: Bot) -> None:
    reply = await bot.say("/dataset", dataset(), private=False)
    assert "Toast" not in reply.text
    assert [button.label for button in reply.buttons] == ["Fine-tune", "See a row"]
    assert "I am Toast" in (await bot.press("See a row", private=False)).text


@pytest.mark.parametrize("private", [True, False])
async def test_the_plan_shows_a_row_only_on_request(bot: Bot, private: bool) -> None:
    reply = await bot.say("/finetune sample", private=private)
    assert "I am Toast" not in reply.text
    assert [button.label for button in reply.buttons] == ["Start", "Change", "See a row", "Check data", "Not now"]
    assert "I am Toast" in (await bot.press("See a row", private=private)).text


async def test_alone_it_lists_what_was_sent_with_a_button_each(agent: FakeAgent, bot: Bot) -> None:
    assert "No dataset was sent yet" in (await bot.say("/dataset")).text
    for number in range(11):
        agent.add_file(f"a-name-that-is-rather-long-{number}.jsonl", b"x" * 5000)
    agent.add_file("model.gguf", b"G", job_id="ftjob-1")
    reply = await bot.say("/dataset")
    assert "gguf" not in reply.text
    assert len(reply.buttons) == 9
    assert reply.buttons[0].line == "/dataset file-11"
    assert all(len(button.label) <= 20 for button in reply.buttons)
    assert fits(reply.text)
    assert (await bot.say(reply.buttons[0].line)).text.startswith("a-name-that-is-rather-long-10… · 104")


async def test_what_is_wrong_with_a_file_is_said(agent: FakeAgent, bot: Bot) -> None:
    agent.inspection_error = refusal(ErrorCode.dataset_broken, "Line 41 is not JSON: a quote is missing.")
    assert (await bot.say("/dataset", dataset())).text == "Line 41 is not JSON: a quote is missing."
    assert "One dataset at a time" in (await bot.say("/dataset", dataset(), dataset())).text
    for line in ("/dataset ../../agent", "/dataset file-1 all", "/dataset quickly"):
        assert "/dataset help" in (await bot.say(line)).text.replace("\n", " ")


async def test_help_shows_a_line_of_every_form(bot: Bot) -> None:
    reply = await bot.say("/dataset help")
    assert set(EXAMPLES) == set(FORMS) == set(DatasetForm)
    assert len(reply.copy) == len(EXAMPLES)
    assert all(json.loads(copy.lines[0]) for copy in reply.copy)


async def test_a_file_sent_while_the_agent_is_away_is_kept_and_a_listing_is_not(agent: FakeAgent, bot: Bot) -> None:
    await agent.stop()
    await bot.say("/dataset", bot.chat.attach(dataset("mia.jsonl")))
    assert bot.chat.last.text.startswith("Queued until the PC is back")
    assert "I cannot reach" in (await bot.say("/dataset file-1")).text
    await agent.restart()
    await bot.until(lambda: any("mia.jsonl · 104 chat rows" in text for text in bot.chat.texts), step_s=1)
