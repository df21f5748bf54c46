"""A model from Hugging Face that nobody said yes to yet: who asked is told, the owner has a button."""

import pytest

from shared.people import GrantKind
from tests.bot.harness import Bot, dataset
from tests.fakes.agent_server import FakeAgent

NEW = "an-organisation-with-a-long-name/a-model-with-a-name-of-more-than-64-bytes"
GROUP = {"private": False, "rights_chat_id": "team"}
ADA = {"person": "ada", "name": "Ada"}
ASK = f"/finetune model:{NEW} name:toast epochs:3"


@pytest.fixture
def shared(agent: FakeAgent, bot: Bot) -> Bot:
    """Ada's machine, which the team may use; Mia speaks."""
    agent.people.own("test", "ada", "Ada")
    agent.people.grant("test", GrantKind.chat, "team", "Team")
    agent.people.new_models.add(NEW)
    bot.who = {"person": "mia", "name": "Mia", **GROUP}
    return bot


def flat(text: str) -> str:
    return " ".join(text.split())


async def test_who_asked_is_told_and_the_owner_is_called_to_a_button(agent: FakeAgent, shared: Bot) -> None:
    question = await shared.say(ASK, dataset())
    told = shared.chat.messages["m1"]
    assert "The owner, Ada, or an admin has to say yes first." in flat(told.text)
    assert told.mention is None
    assert flat(question.text).startswith("Mia wants to teach an-organisation")
    assert question.mention == "ada"
    assert [button.line for button in question.buttons] == ["/models allow:1", "/models refuse:1"]
    assert not agent.plans


async def test_only_the_owners_yes_counts_and_then_the_member_plans_by_a_tap(agent: FakeAgent, shared: Bot) -> None:
    await shared.say(ASK, dataset())
    refused = await shared.press("Yes, allow it")
    assert refused.private
    assert "Only the owner of this machine (Ada) and admins may say yes" in flat(refused.text)
    assert agent.people.approved == []
    told = await shared.press("Yes, allow it", **ADA)
    assert agent.people.approved == [NEW]
    assert told.mention == "mia"
    assert not shared.chat.messages["m2"].buttons
    assert (await shared.press("Plan it")).title == "mia.jsonl · 104 chat rows → toast"
    asked = agent.plan_requests[0]
    assert (asked.model, asked.suffix, asked.method.hyperparameters.n_epochs) == (NEW, "toast", 3)


async def test_a_no_is_the_owners_too_and_is_told(agent: FakeAgent, shared: Bot) -> None:
    await shared.say(ASK, dataset())
    assert "Only the owner or an admin decides" in flat((await shared.press("No")).text)
    told = await shared.press("No", **ADA)
    assert (told.mention, agent.people.approved) == ("mia", [])
    assert "is not allowed here" in flat(told.text)
    assert not shared.chat.messages["m2"].buttons
    assert "answered already" in flat((await shared.say("/models allow:1", **ADA)).text)


async def test_the_owner_is_not_called_twice_for_one_model(shared: Bot) -> None:
    await shared.say(ASK, dataset())
    again = await shared.say(ASK, dataset())
    assert again.mention is None
    assert "I have asked here before" in flat(again.text)
    shared.clock.advance(86_401)
    assert (await shared.say(ASK, dataset())).mention == "ada"


async def test_a_yes_may_be_typed_and_an_old_button_says_so(agent: FakeAgent, shared: Bot) -> None:
    assert f"{NEW.split('/', maxsplit=1)[0]}" in (await shared.say(f"/models allow:{NEW}", **ADA)).text
    assert agent.people.approved == [NEW]
    assert "answered already" in flat((await shared.say("/models allow:7", **ADA)).text)


async def test_where_the_owner_has_not_paired_nobody_is_called(agent: FakeAgent, shared: Bot) -> None:
    agent.people.grants[0] = agent.people.grants[0].model_copy(update={"platform": "elsewhere"})
    question = await shared.say(ASK, dataset())
    assert question.mention is None
    assert "Ada or an admin decides" in flat(question.text)


async def test_in_a_private_chat_that_no_owner_reads_there_is_a_line_to_pass_on(agent: FakeAgent, shared: Bot) -> None:
    agent.people.grant("test", GrantKind.person, "mia", "Mia")
    told = await shared.say(ASK, dataset(), private=True)
    assert "The owner, Ada, or an admin has to say yes first." in flat(told.text)
    assert told.mention is None
    [to_the_owner] = (copy.lines[0] for copy in told.copy)
    [again] = (button.line for button in told.buttons)
    assert to_the_owner == f"/models allow:{NEW}"
    await shared.say(to_the_owner, **ADA, private=True)
    assert agent.people.approved == [NEW]
    assert (await shared.say(again, private=True)).title == "mia.jsonl · 104 chat rows → toast"
