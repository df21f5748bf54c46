"""A person whose platform says German is answered in German: commands, plan, live card, result, mistakes."""

import re
from typing import Any

import pytest

from bot.cards.job import job_card, job_name, moved_card, without_contact
from bot.cards.snapshot import Snapshot
from shared.jobs import PROOF_S, JobStatus, PauseReason, Stage
from shared.language import LANGUAGES, speaking
from shared.people import GrantKind
from tests.bot.cards.test_job import PROGRESS, running
from tests.bot.harness import Bot, dataset, fits
from tests.fakes.agent_server import NOW, FakeAgent

GERMAN = {"locale": "de-AT", "person": "ada", "name": "Ada"}
GROUP = {"private": False, "chat_name": "Team", "rights_chat_id": "team", "server": "home", "server_name": "Home"}
LINES = (
    "/help", "/help people", "/models", "/status", "/queue", "/jobs", "/gpu", "/pair", "/allow", "/deny", "/who", "",
    "/dataset", "/dataset help", "/try", "/pause", "/resume", "/cancel", "/plot", "/log", "/retry", "/finetune",
    "/nonsense",
)  # fmt: skip
ENGLISH = re.compile(r"\b(the|you|your|with|and|is|are|not|there|it|this)\b", re.IGNORECASE)


@pytest.fixture
def ada(agent: FakeAgent, bot: Bot) -> Bot:
    agent.people.own("test", "ada", "Ada")
    agent.people.grant("test", GrantKind.role, "r", "Eine Rolle")
    bot.who = GERMAN
    return bot


@pytest.mark.parametrize("where", [{}, GROUP], ids=["private", "group"])
@pytest.mark.parametrize("line", LINES)
async def test_every_answer_is_german_and_fits_a_phone(ada: Bot, line: str, where: dict[str, Any]) -> None:
    await ada.say(line, **where)
    for reply in ada.chat.messages.values():
        shown = [reply.text, *(button.label for button in reply.buttons), *(copy.intro for copy in reply.copy)]
        assert not [text for text in shown if ENGLISH.search(text)]
        assert fits(reply.text)
        assert all(len(button.label) <= 20 for button in reply.buttons)


async def test_a_job_is_told_in_german_from_the_plan_to_the_result(agent: FakeAgent, ada: Bot) -> None:
    plan = await ada.say("/finetune name:toast", dataset("rows.jsonl"))
    assert plan.text.startswith("rows.jsonl · 104 Zeilen (Chat) → toast\nLernt von smollm2-135m · 5 Epochen\n")
    labels = [button.label for button in plan.buttons]
    assert labels == ["Start", "Ändern", "Zeile ansehen", "Daten prüfen", "Nicht jetzt"]
    await ada.press("Start")
    agent.step("ftjob-1", 20)
    await ada.until(lambda: any("Training 44 %" in text for text in ada.chat.texts), step_s=0.5)
    card = next(text for text in ada.chat.texts if "Training 44 %" in text)
    assert card.startswith("toast · Training 44 %\n")
    assert re.search(r"^Loss: \d,\d{2}\nzurückgehalten: \d,\d{2}$", card, re.MULTILINE)
    assert re.search(r" noch \d+ (s|min) \(\d\d:\d\d \S+\)$", card, re.MULTILINE)
    assert fits(card)
    agent.succeed("ftjob-1")
    await ada.until(lambda: any(text.startswith("✓ toast ist fertig · ") for text in ada.chat.texts), step_s=0.5)
    assert any(text.startswith("toast · Fertig") for text in ada.chat.texts)


async def test_what_does_not_fit_and_how_thorough_a_plan_is_are_told_in_german(agent: FakeAgent, ada: Bot) -> None:
    agent.too_little_memory = True
    refused = await ada.say("/finetune model:acme/large preset:quick", dataset("rows.jsonl"))
    assert refused.text.startswith("Passt nicht · rows.jsonl\n")
    assert "\n\nJeder davon passt. Tippe einen an, um ihn ganz zu sehen.\n1. " in refused.text
    plan = await ada.say(refused.buttons[1].line)
    assert "Epochen (kurzer Blick)" in plan.text
    for reply in (refused, plan):
        assert fits(reply.text)


LONG = {"number": 12, "suffix": "mia-support-of-the-team"}
STATES: list[dict[str, object]] = [
    {"pausing": True}, {"proof_age_s": PROOF_S + 600}, {"attempt": 2}, {"health": "stalled", "work_age_s": 900},
    *({"stage": stage} for stage in Stage),  # type: ignore[list-item]  # an object, too
    {"status": JobStatus.paused, "stage": None, "paused": PauseReason.disk},
    {"status": JobStatus.paused, "stage": None, "paused": PauseReason.gpu},
    {"status": JobStatus.queued, "stage": None, "progress": None, "queue_position": 12},
]  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("fields", STATES, ids=str)
def test_cards_of_long_names_and_long_waits_fit_a_phone(fields: dict[str, object], language: str) -> None:
    progress = PROGRESS.model_copy(update={"eta_s": 3.5 * 86_400, "total_steps": 12345, "step": 1234})
    with speaking(language):
        job = running(**{**LONG, "progress": progress, **fields})
        card = job_card(Snapshot(job=job, queued=14, starts_at=NOW + 3.5 * 86_400), now=NOW)
        shown = [card.text, moved_card(job_name(job)).text, without_contact(card.text, since=NOW, now=NOW).text]
    assert all(map(fits, shown))


async def test_a_card_keeps_its_language_when_others_ask_and_the_bot_starts_anew(agent: FakeAgent, ada: Bot) -> None:
    await ada.say("/finetune sample")
    await ada.press("Start")
    assert [card.language for card in ada.core.subscriptions.undelivered()] == ["de"]
    assert (await ada.say("/jobs", locale="en-GB")).text == "The last jobs\n\n- #1 toast · waiting"
    agent.step("ftjob-1", 3)
    await ada.until(lambda: any("toast · Training 6 %" in text for text in ada.chat.texts), step_s=0.5)


async def test_the_agent_is_told_the_language_of_who_asks(agent: FakeAgent, ada: Bot) -> None:
    await ada.say("/finetune sample")
    asked = agent.plan_requests[0].requested_by
    assert asked is not None
    assert asked.language == "de"


async def test_what_the_bot_cannot_read_is_said_in_german(ada: Bot) -> None:
    assert "geht nicht. epochs ist auto oder eine Zahl" in " ".join(
        (await ada.say("/finetune sample epochs:x")).text.split()
    )
