"""The card of a dataset that is not as it should be: what was found, mended with a tap, told in full on request."""

import pytest

from bot.cards.findings import FIXES
from bot.core.reply import Tone
from bot.errors import StorageError
from shared.inspections import Finding, FindingCode, Fix, ReadingProgress, Severity
from shared.language import LANGUAGES, _, speaking
from tests.bot.harness import Bot, dataset, fits
from tests.fakes.agent_server import FakeAgent

MESSAGE = "8 answers hold a placeholder such as {{name}} or [your name]."


def finding(code: FindingCode, severity: Severity = Severity.warning, fix: Fix | None = None) -> Finding:
    return Finding(code=code, severity=severity, count=8, lines=[3], message=MESSAGE, why="So it is.", fix=fix)


FOUND = [
    finding(FindingCode.placeholders, Severity.serious, Fix.drop_placeholders),
    finding(FindingCode.personal_data, fix=Fix.redact),
    finding(FindingCode.leakage, fix=Fix.dedupe_near),
    finding(FindingCode.near_copies, fix=Fix.dedupe_near),
    finding(FindingCode.mixed_formatting, Severity.note),
    finding(FindingCode.exact_copies, Severity.note, Fix.dedupe),
    finding(FindingCode.short_answers, Severity.note, Fix.drop_short),
]


async def test_the_worst_findings_come_first_and_fit_a_phone(agent: FakeAgent, bot: Bot) -> None:
    agent.findings = FOUND
    reply = await bot.say("/dataset", dataset("mia.jsonl"))
    block = reply.text[reply.text.index("What I found") :].split("\n\n")[0].splitlines()
    assert block[1].startswith("‼ 8 answers hold a placeholder")
    assert len(block) == 6
    assert "\n\nand 2 more in the report" in reply.text
    assert reply.tone is Tone.trouble
    assert all(fits(part) for part in reply.text.split("\n\n"))
    assert [button.label for button in reply.buttons] == [
        "Fine-tune", "Report", "Drop placeholders", "Mask private data", "Remove near copies", "Ignore from now on",
    ]  # fmt: skip


async def test_a_tap_mends_the_file_and_shows_the_new_one_in_the_same_message(agent: FakeAgent, bot: Bot) -> None:
    agent.findings = FOUND
    await bot.say("/dataset", dataset("mia.jsonl"))
    shown = len(bot.chat.messages)
    reply = await bot.press("Mask private data")
    assert agent.fix_requests[0].fixes == (Fix.redact,)
    assert reply.text.startswith("mended-mia.jsonl · 104 chat rows\nMended: 4 rows left out.")
    assert "What I found" not in reply.text
    assert len(bot.chat.messages) == shown
    assert (await bot.press("Fine-tune")).title == "mended-mia.jsonl · 104 chat rows → toast"


async def test_a_plan_leads_to_what_weighs_in_its_data(agent: FakeAgent, bot: Bot) -> None:
    await bot.say("/finetune seed:7", dataset("mia.jsonl"))
    assert "What I found" not in (await bot.press("Check data")).text
    agent.findings = FOUND
    await bot.say("/finetune seed:7", dataset("mia.jsonl"))
    reply = await bot.press("Check data")
    assert reply.title == "mia.jsonl · 104 chat rows"
    assert "What I found" in reply.text
    assert "Mask private data" in [button.label for button in reply.buttons]
    await bot.press("Fine-tune")
    assert agent.plan_requests[-1].seed == 7


async def test_what_can_be_changed_says_what_the_memory_is_made_of(agent: FakeAgent, bot: Bot) -> None:
    await bot.say("/finetune", dataset("mia.jsonl"))
    await bot.press("Change")
    reply = await bot.press("Advanced")
    at = reply.text.index("RAM at the peak")
    assert reply.text[at:].splitlines() == [
        "RAM at the peak",
        "the model: 110 MiB",
        "the add-on, its optimizer: 75 MiB",
        "a batch on its way: 236 MiB",
        "libraries, gaps: 579 MiB",
        "",
        "RAM before and after",
        "to write and check the model: 350 MiB",
    ]


async def test_the_report_comes_as_a_file_with_its_picture(agent: FakeAgent, bot: Bot) -> None:
    agent.findings = FOUND
    await bot.say("/dataset", dataset("mia.jsonl"))
    reply = await bot.press("Report")
    assert reply.text.startswith("Report · mia.jsonl")
    assert [file.name for file in reply.files] == ["mia-report.html"]
    assert reply.image is not None
    assert reply.image.alt_text == "Row lengths."


async def test_a_fix_that_there_is_not_mends_nothing(agent: FakeAgent, bot: Bot) -> None:
    agent.findings = FOUND
    file = agent.add_file("mia.jsonl", b"{}")
    for line in (f"/dataset {file.id} fix:polish", f"/dataset {file.id} fix:", "/dataset ../x fix:redact"):
        assert "/dataset help" in (await bot.say(line)).text.replace("\n", " ")
    assert not agent.fix_requests


async def test_a_large_file_is_seen_being_read(agent: FakeAgent, bot: Bot) -> None:
    agent.reading = [ReadingProgress(rows=12_000, bytes=40, of=100)]
    await bot.say("/dataset", dataset("mia.jsonl"))
    edits = [reply.text for _id, reply in bot.chat.edits]
    assert any("▓▓▓▓░░░░░░░░ 40 % · 12,000 rows so far" in text for text in edits)


async def test_a_fix_asked_for_while_the_agent_is_away_is_kept(agent: FakeAgent, bot: Bot) -> None:
    await agent.stop()
    await bot.say("/dataset file-1 fix:redact")
    assert bot.chat.last.text.startswith("Queued until the PC is back")
    agent.add_file("mia.jsonl", b"{}")
    await agent.restart()
    await bot.until(lambda: any("mended-mia.jsonl · 104 chat rows" in text for text in bot.chat.texts), step_s=1)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_fix_has_a_button_that_fits(language: str) -> None:
    with speaking(language):
        assert all(len(_(FIXES[fix])) <= 20 for fix in Fix)


async def test_advice_is_ignored_from_now_on_for_that_file_and_shown_again_on_a_tap(agent: FakeAgent, bot: Bot) -> None:
    agent.findings = [
        finding(FindingCode.placeholders, Severity.serious),
        finding(FindingCode.answers_cut),
        finding(FindingCode.near_copies, fix=Fix.dedupe_near),
        finding(FindingCode.short_answers, Severity.note, Fix.drop_short),
    ]
    await bot.say("/dataset", dataset("mia.jsonl"))
    shown = len(bot.chat.messages)
    reply = await bot.press("Ignore from now on")
    assert len(bot.chat.messages) == shown
    assert reply.text.count(MESSAGE) == 2  # what is serious, or changes what is learned, stays
    assert "\n\n2 findings are ignored." in reply.text
    assert [button.label for button in reply.buttons] == ["Fine-tune", "Report", "Show ignored"]
    again = await bot.say("/dataset", dataset("the-same.jsonl"))
    assert "2 findings are ignored." in again.text
    assert again.text.count(MESSAGE) == 2
    assert "ignored" not in (await bot.say("/dataset", dataset("other.jsonl", b"{}"))).text
    assert "ignored" not in (await bot.say("/dataset", dataset("mia.jsonl"), person="tom")).text
    reply = await bot.press("Show ignored")
    assert reply.text.count(MESSAGE) == 4
    assert "ignored" not in reply.text


async def test_only_the_advice_that_was_seen_is_ignored(agent: FakeAgent, bot: Bot) -> None:
    codes = [FindingCode.near_copies, FindingCode.markup, FindingCode.leakage, FindingCode.loose_spaces,
             FindingCode.short_answers, FindingCode.few_rows]  # fmt: skip
    agent.findings = [finding(code, Severity.note) for code in codes]
    await bot.say("/dataset", dataset("mia.jsonl"))
    reply = await bot.press("Ignore from now on")
    assert reply.text.count(MESSAGE) == 1
    assert "5 findings are ignored." in reply.text


async def test_a_plan_does_not_point_to_what_is_ignored(agent: FakeAgent, bot: Bot) -> None:
    agent.findings = [finding(FindingCode.near_copies)]
    assert "1 thing in the data" in (await bot.say("/finetune", dataset("mia.jsonl"))).text
    await bot.press("Check data")
    reply = await bot.press("Ignore from now on")
    assert "What I found" not in reply.text
    assert "1 finding is ignored." in reply.text
    assert "thing in the data" not in (await bot.press("Fine-tune")).text


async def test_what_cannot_be_ignored_for_want_of_a_disk_is_said(
    agent: FakeAgent, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> None:
        raise StorageError("the disk is full")

    agent.findings = [finding(FindingCode.near_copies)]
    await bot.say("/dataset", dataset("mia.jsonl"))
    monkeypatch.setattr(bot.core.ignored._db, "write", refuse)
    await bot.press("Ignore from now on")
    assert any("the disk is full" in text for text in bot.chat.texts)
