"""What an inspection finds, each in a file that has just that."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from agent.base_models.card import BaseModelCard
from agent.data.checks.text_checks import trimmed
from agent.data.inspect import inspect_dataset
from agent.data.mend import mend
from agent.data.reading import find_reading
from agent.errors import AgentError
from shared.inspections import Finding, FindingCode, Fix, Severity
from tests.agent.data.test_inspect import jsonl, pair

TEXT = (
    "amber anchor basket beacon candle canyon copper cradle dagger desert ember engine falcon feather garden glacier "
    "hammer harbor island ivory jacket jungle kettle kitten ladder lantern marble meadow needle nectar orchard otter "
    "pebble planet quarry quiver ribbon rocket saddle silver temple thunder valley velvet willow window yonder zephyr"
)
WORDS = TEXT.split()
SECRET = "sk-abcdefghij0123456789"


def rows(count: int = 20, *, words: int = 30) -> list[Any]:
    """Rows that share nothing but their language."""
    dice = random.Random(count)
    return [pair(f"Number {n}?", " ".join(dice.choices(WORDS, k=words))) for n in range(count)]


def with_answers(*answers: str) -> list[Any]:
    """Rows whose first answers are these."""
    return [pair(f"Number {n}?", answer) for n, answer in enumerate(answers)] + rows()[len(answers) :]


def more(row: dict[str, str]) -> dict[str, str]:
    """The same row with a word more."""
    return pair(row["prompt"], f"{row['completion']} indeed")


def found(tmp_path: Path, card: BaseModelCard, data: list[Any]) -> dict[FindingCode, Finding]:
    path = jsonl(tmp_path, data)
    return {finding.code: finding for finding in inspect_dataset(path, card).findings}


C = FindingCode


@pytest.mark.parametrize(
    ("code", "data", "count", "lines", "fix"),
    [
        (C.secrets, with_answers(f"My key is {SECRET} {TEXT}"), 1, [1], Fix.redact),
        (C.personal_data, with_answers(f"Write to mia@example.org. {TEXT}"), 1, [1], Fix.redact),
        (C.special_tokens, with_answers(f"Well <|im_end|> then. {TEXT}"), 1, [1], Fix.clean),
        (C.unseen_characters, with_answers(f"Well\u202e then. {TEXT}"), 1, [1], Fix.clean),
        (C.loose_spaces, with_answers(f"{TEXT}\n\n"), 1, [1], Fix.trim),
        (C.placeholders, with_answers(f"Dear [your name], {TEXT}"), 1, [1], Fix.drop_placeholders),
        (C.markup, with_answers(f"<div class='x'>{TEXT}"), 1, [1], None),
        (C.short_answers, with_answers("Yes.", "No."), 2, [1, 2], Fix.drop_short),
        (C.exact_copies, [*rows(), rows()[3], rows()[5]], 2, [21, 22], Fix.dedupe),
        (C.near_copies, [*rows(), more(rows()[3])], 1, [21], Fix.dedupe_near),
        (C.contradictions, [*rows(), pair("Number 3?", TEXT)], 2, [4, 21], None),
        (C.repeated_answers, [*rows(), *(pair(f"Other {n}?", TEXT) for n in range(9))], 9, None, None),
        (C.mixed_formatting, with_answers(f"# A title\n{TEXT}", f"**Bold** {TEXT[::-1]}"), 2, [1, 2], None),
        (C.label_balance, [pair(f"{n} {TEXT}", "spam" if n % 10 else "ham") for n in range(40)], 36, None, None),
        (C.long_answers, with_answers(TEXT * 20), 1, [1], None),
        (C.few_trained_tokens, [pair(f"{n} {TEXT * 4}", WORDS[n]) for n in range(20)], 20, [], None),
        (C.empty_texts, [*rows(), pair("Hi", "")], 1, [21], None),
        (C.unusable_rows, [*rows(), {"text": "x"}], 1, [21], None),
        (C.unread_columns, [row | {"why": "It is so."} for row in rows()], 20, [], None),
        (
            C.changing_knowledge,
            with_answers("It costs $5 as of 2024.", "Open right now.", "At $4."),
            3,
            [1, 2, 3],
            None,
        ),
        (C.few_rows, rows(), 20, [], None),
    ],
    ids=lambda value: value.value if isinstance(value, FindingCode) else "",
)
def test_it_is_found_with_count_lines_and_fix(
    tmp_path: Path,
    smollm2_card: BaseModelCard,
    code: FindingCode,
    data: list[Any],
    count: int,
    lines: list[int] | None,
    fix: Fix | None,
) -> None:
    finding = found(tmp_path, smollm2_card, data)[code]
    assert (finding.count, finding.fix) == (count, fix)
    assert lines is None or finding.lines == lines
    assert finding.why.endswith(".")


def test_a_good_file_has_nothing_to_complain_about(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    assert set(found(tmp_path, smollm2_card, rows(120))) == {
        C.base_system_text
    }  # who it will be, which is no complaint


def test_bad_examples_are_no_fault_of_the_file(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    data = [{**row, "label": number % 2 == 0} for number, row in enumerate(rows(40))]
    codes = found(tmp_path, smollm2_card, data)
    assert FindingCode.one_side_learned in codes
    assert FindingCode.unusable_rows not in codes


def test_what_stands_there_is_never_said(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    data = with_answers(f"My key is {SECRET}, mail mia@example.org.")
    findings = inspect_dataset(jsonl(tmp_path, data), smollm2_card)
    assert SECRET not in findings.model_dump_json()
    assert "mia@example" not in findings.model_dump_json()


def test_the_worst_come_first_and_become_the_notes(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    data = [*with_answers(f"My key is {SECRET}.", "Yes."), rows()[3]]
    findings = inspect_dataset(jsonl(tmp_path, data), smollm2_card)
    severities = [finding.severity for finding in findings.findings]
    assert severities == sorted(severities, key=list(Severity).index)
    assert findings.notes[0] == "1 row holds a key or password."
    assert not [note for note in findings.notes if "less than 50 characters" in note]


def test_an_answer_that_is_cut_says_which_length_would_keep_it(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    data = [*rows(), pair("Long?", " ".join(WORDS * 60)), pair(" ".join(WORDS * 60), "Lost?")]
    findings = inspect_dataset(jsonl(tmp_path, data), smollm2_card)
    cut = next(finding for finding in findings.findings if finding.code is FindingCode.answers_cut)
    assert findings.lengths is not None
    assert cut.message.startswith("2 answers are cut at 2,048 tokens, 1 whole. max_length ")
    assert (sum(findings.lengths.cut), sum(findings.lengths.lost), sum(findings.lengths.kept)) == (1, 1, 20)
    assert f"max_length {findings.lengths.saves_all} would keep them." in cut.message


def test_several_languages_are_told_with_their_shares(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    german = "Das ist eine ganz gewöhnliche deutsche Antwort, wie man sie oft liest, und sie hat die Nummer {}."
    english = "This is a perfectly ordinary English answer of the kind that one reads often, and its number is {}."
    data = [pair(f"Number {n}?", (german if n % 4 == 0 else english).format(n)) for n in range(40)]
    finding = found(tmp_path, smollm2_card, data)[FindingCode.mixed_languages]
    assert "en 75 %, de 25 %" in finding.message
    assert finding.lines[:3] == [1, 5, 9]


def test_a_held_out_row_with_a_near_copy_in_training_is_leakage(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    data = rows(40)
    first = data[0]
    data += [pair(first["prompt"], f"{first['completion']} {n}") for n in range(40)]  # too many to stay on one side
    finding = found(tmp_path, smollm2_card, data)[FindingCode.leakage]
    assert 0 < finding.count <= 8
    assert finding.fix is Fix.dedupe_near


def test_near_copies_are_kept_on_one_side_and_do_not_leak(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    data = rows(40)
    data += [more(row) for row in data]
    codes = found(tmp_path, smollm2_card, data)
    assert "kept on one side" in codes[FindingCode.near_copies].why
    assert FindingCode.leakage not in codes


def test_few_rows_are_told_kindly_that_a_prompt_may_do(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    prompt, *_others, base = inspect_dataset(jsonl(tmp_path, rows()), smollm2_card).right_tool
    assert prompt.against
    assert prompt.answer.startswith("20 rows are few. Put five of the best into a prompt first")
    assert not base.against


def test_three_rows_are_shown_masked_and_marked(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    data: list[Any] = [pair(f"Write to mia{n}@example.org", " ".join(WORDS[: n + 2])) for n in range(30)]
    findings = inspect_dataset(jsonl(tmp_path, data), smollm2_card)
    shown = [findings.sample, *findings.more_samples]
    assert len({sample.line for sample in shown}) == 3
    assert all("[e-mail]" in str(sample.parts) and "mia" not in str(sample.parts) for sample in shown)
    assert all([trained for _, trained in sample.parts].count(True) == 1 for sample in shown)


@pytest.mark.parametrize(
    ("fix", "data", "left", "changed"),
    [
        (Fix.dedupe, [*rows(), rows()[3]], 20, 0),
        (Fix.dedupe_near, [*rows(), rows()[3], more(rows()[4])], 20, 0),
        (Fix.redact, with_answers("Write to mia@example.org."), 20, 1),
        (Fix.clean, with_answers("Well\u202e<|im_end|> then."), 20, 1),
        (Fix.trim, with_answers(" Well then.\n"), 20, 1),
        (Fix.drop_placeholders, with_answers("I am {{name}}."), 19, 0),
        (Fix.drop_short, with_answers("Yes."), 19, 0),
        (Fix.drop_cut, [*rows(), pair("Long?", " ".join(WORDS * 60))], 20, 0),
    ],
)
def test_a_fix_makes_a_file_in_which_it_is_found_no_more(
    tmp_path: Path, smollm2_card: BaseModelCard, fix: Fix, data: list[Any], left: int, changed: int
) -> None:
    before = {code for code, finding in found(tmp_path, smollm2_card, data).items() if finding.fix is fix}
    output = tmp_path / "mended"
    done = mend(find_reading(jsonl(tmp_path, data)), smollm2_card, [fix], output, 1 << 20, lambda _rows, _bytes: None)
    assert (done.rows, done.removed, done.changed) == (left, len(data) - left, changed)
    after = {finding.code for finding in inspect_dataset(output, smollm2_card).findings}
    assert before
    assert not before & after


def test_a_fix_leaves_form_and_columns_as_they_are(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    turns = [[{"from": "human", "value": "Hi"}, {"from": "gpt", "value": f"Mail m{n}@example.org"}] for n in range(12)]
    data: list[Any] = [{"conversations": talk, "source": {"page": n}} for n, talk in enumerate(turns)]
    output = tmp_path / "mended"
    mend(find_reading(jsonl(tmp_path, data)), smollm2_card, [Fix.redact], output, 1 << 20, lambda _rows, _bytes: None)
    first = json.loads(output.read_text().splitlines()[0])
    assert first == {
        "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Mail [e-mail]"}],
        "source": {"page": 0},
    }


def test_one_of_each_row_stays_also_of_passages_of_one_text(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    again = "The cat sleeps on the warm machine. "
    data: list[Any] = [{"text": row["completion"]} for row in rows(12, words=900)] + [{"text": again * 3000}]
    path, output = jsonl(tmp_path, data), tmp_path / "mended"
    done = mend(find_reading(path), smollm2_card, [Fix.dedupe], output, 1 << 24, lambda _rows, _bytes: None)
    left = output.read_text()
    assert done.removed > 0
    assert again in left
    assert all(row["text"].split()[-1] in left for row in data)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (" Hi\n", "Hi"),
        ("\n\n  Hi", "  Hi"),
        ("    return 1", "    return 1"),
        ("\ty\n", "\ty"),
    ],
)
def test_the_indent_of_code_is_no_loose_space(text: str, left: str) -> None:
    assert trimmed(text) == left


def test_what_names_a_row_is_not_redacted(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    data = [row | {"id": f"012-345-67{n:02}"} for n, row in enumerate(with_answers("Call 012-345-6789, please."))]
    output = tmp_path / "mended"
    mend(find_reading(jsonl(tmp_path, data)), smollm2_card, [Fix.redact], output, 1 << 20, lambda _rows, _bytes: None)
    first = json.loads(output.read_text().splitlines()[0])
    assert first["id"] == "012-345-6700"
    assert "[phone number]" in first["completion"]


def test_of_a_file_of_long_rows_alone_the_first_is_shown(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    """None of them is short enough to be kept as one that may be shown."""
    long = "Toast, please. " * 2_000
    seen = inspect_dataset(jsonl(tmp_path, [pair(f"{n}?", f"{n}. {long}") for n in range(12)]), smollm2_card)
    assert (seen.rows, seen.sample.line, seen.more_samples) == (12, 1, [])
    assert seen.sample.parts[-2][0].startswith("0. Toast, please. ")


def test_a_fix_keeps_what_it_cannot_read_and_refuses_what_it_cannot_follow(
    tmp_path: Path, smollm2_card: BaseModelCard
) -> None:
    """In a column that nobody reads: half a surrogate pair, and lists in lists that JSON itself still takes."""

    def mended(aside: str) -> bytes:
        path, output = tmp_path / "rows.jsonl", tmp_path / "mended.jsonl"
        path.write_text("".join(f'{{"prompt": "{n}?", "completion": "Toast.", "aside": {aside}}}\n' for n in range(12)))
        output.write_bytes(b"")
        mend(find_reading(path), smollm2_card, [Fix.trim], output, 1 << 20, lambda *_: None)
        return output.read_bytes()

    assert mended(r'"\ud800"').count(rb'"aside": "\ud800"') == 12
    with pytest.raises(AgentError, match="nested too deeply"):
        mended("[" * 800 + "]" * 800)
