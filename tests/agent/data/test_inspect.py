import json
import os
from pathlib import Path

import pytest

from agent.base_models.card import BaseModelCard
from agent.children.environment import child_environment
from agent.data.chat_template import IGNORED, ChatTemplate
from agent.data.checks.copies import later_copies
from agent.data.checks.survey import Surveyor
from agent.data.findings import InspectRequest, Mended
from agent.data.inspect import inspect_dataset
from agent.data.mend import mend
from agent.data.reading import find_reading
from agent.data.turns import Message, RowProblem
from agent.data.usable_rows import Drops, chat_rows, learned_rows
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.inspections import FindingCode, Fix
from tests.agent.data.child import ask_child

SAMPLE = Path("shared/samples/toast.jsonl").absolute()


TALK = [Message(role="user", content="Hi"), Message(role="assistant", content="Hello, you.")]
TWO_TURNS = [*TALK, Message(role="user", content="Bye"), Message(role="assistant", content="See you.")]


def jsonl(tmp_path: Path, rows: list[object]) -> Path:
    path = tmp_path / "data.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def pair(question: str, answer: str) -> dict[str, str]:
    return {"prompt": question, "completion": answer}


def test_the_sample_dataset_is_understood(smollm2_card: BaseModelCard) -> None:
    findings = inspect_dataset(SAMPLE, smollm2_card)
    assert (findings.form.value, findings.rows, findings.dropped_count) == ("messages", 104, 0)
    assert 0.4 < findings.tokens.trained / findings.tokens.total < 0.6


def test_only_answers_and_their_end_are_trained_on(smollm2_card: BaseModelCard) -> None:
    template = ChatTemplate(smollm2_card)
    trained = [text for text, is_trained in template.parts(TWO_TURNS) if is_trained]
    assert trained == ["Hello, you.<|im_end|>", "See you.<|im_end|>"]
    assert "".join(text for text, _ in template.parts(TWO_TURNS)) == template.render(TWO_TURNS)


def test_labels_end_with_the_end_of_turn_token(smollm2_card: BaseModelCard) -> None:
    template = ChatTemplate(smollm2_card)
    row = template.tokenize(TALK)
    labels = [label for label in row.labels if label != IGNORED]
    assert labels[-1] in template.token_ids(["<|im_end|>"])
    assert row.input_ids[: len(template.tokenize_prompt(TALK[:1]))] == template.tokenize_prompt(TALK[:1])


def test_a_template_that_hides_the_answer_drops_the_row(smollm2_card: BaseModelCard) -> None:
    hidden = smollm2_card.model_copy(update={"chat_template": "{{ messages | length }}<|im_end|>"})
    with pytest.raises(RowProblem, match="hides where the answer begins"):
        ChatTemplate(hidden).parts(TALK)


def test_a_template_cannot_reach_python(smollm2_card: BaseModelCard) -> None:
    attack = "{{ ''.__class__.__mro__[1].__subclasses__() }}"
    with pytest.raises(RowProblem, match="refused"):
        ChatTemplate(smollm2_card.model_copy(update={"chat_template": attack})).render(TALK)


def test_bad_rows_are_dropped_one_by_one_with_line_and_reason(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    rows: list[object] = [pair(f"Q{n}", f"A{n}") for n in range(12)]
    rows[3] = pair("Q", "")
    rows[7] = {"note": "something else"}
    findings = inspect_dataset(jsonl(tmp_path, rows), smollm2_card)
    assert findings.rows == 10
    assert [drop.line for drop in findings.dropped] == [4, 8]
    assert findings.dropped[0].reason == "Line 4 has no text in `completion`."


@pytest.mark.parametrize(
    ("rows", "code", "words"),
    [
        ([pair("Q", "A")], ErrorCode.dataset_too_small, "1 row is usable; at least 10"),
        ([pair("Q", "") for _ in range(20)], ErrorCode.dataset_too_small, "No row is usable.*line 1 has no text"),
        ([{"parts": [1], "label": None}] * 20, ErrorCode.dataset_unknown_form, "keys parts, label.*messages"),
        ([{"text": "x", "label": 1}] * 20, ErrorCode.dataset_too_small, "Only 1 of the 20 rows are different"),
        ([{"text": "x", "class": 1}] * 20, ErrorCode.dataset_unclear, "text"),
        ([[1, 2]], ErrorCode.dataset_broken, "Row 1 is int"),
    ],
)
def test_a_useless_dataset_is_refused_in_words(
    tmp_path: Path, smollm2_card: BaseModelCard, rows: list[object], code: ErrorCode, words: str
) -> None:
    with pytest.raises(AgentError, match=words) as caught:
        inspect_dataset(jsonl(tmp_path, rows), smollm2_card)
    assert caught.value.code is code


def test_the_shown_sample_is_redacted(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    rows: list[object] = [pair(f"Q{n} mia@example.org", f"A{n}") for n in range(10)]
    sample = inspect_dataset(jsonl(tmp_path, rows), smollm2_card).sample
    assert "mia@example.org" not in str(sample.parts)
    assert "[e-mail]" in str(sample.parts)


@pytest.mark.process
async def test_the_child_answers_without_network_or_secrets(
    monkeypatch: pytest.MonkeyPatch, smollm2_card: BaseModelCard
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_canary")
    assert "hf_canary" not in str(child_environment(offline=True))
    request = InspectRequest(dataset=str(SAMPLE), card=smollm2_card)
    reply = await ask_child(request)
    assert reply.findings is not None
    assert reply.findings.rows == 104


@pytest.mark.process
async def test_a_child_that_dies_is_a_sentence(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    fifo = tmp_path / "gone"
    request = InspectRequest(dataset=str(fifo), card=smollm2_card)
    with pytest.raises(AgentError, match="ended unexpectedly"):
        await ask_child(request)


@pytest.mark.process
async def test_a_child_that_hangs_is_stopped(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    fifo = tmp_path / "data.jsonl"
    os.mkfifo(fifo)
    request = InspectRequest(dataset=str(fifo), card=smollm2_card)
    with pytest.raises(AgentError, match="longer than 3 s"):
        await ask_child(request, limit_s=3)


def test_answers_with_unfilled_placeholders_are_counted(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    rows: list[object] = [pair(f"Q{n}", f"I am {{{{name}}}}, number {n}.") for n in range(10)]
    assert "10 answers hold a placeholder" in " ".join(inspect_dataset(jsonl(tmp_path, rows), smollm2_card).notes)


@pytest.mark.process
async def test_the_child_writes_a_mended_copy_and_nothing_else(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    rows: list[object] = [pair(f"Q{n}", f"A{n}") for n in range(12)]
    dataset, output = jsonl(tmp_path, [*rows, rows[0]]), tmp_path / "mended"
    output.touch()
    request = InspectRequest(
        dataset=str(dataset), card=smollm2_card, fixes=[Fix.dedupe], output=str(output), output_limit=1 << 20
    )
    assert (await ask_child(request)).mended == Mended(rows=12, removed=1, changed=0)
    assert [json.loads(line) for line in output.read_text().splitlines()] == rows


def test_a_mended_copy_over_the_limit_is_refused(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    dataset = jsonl(tmp_path, [pair(f"Q{n}", f" A{n}") for n in range(12)])
    with pytest.raises(AgentError, match="over the limit"):
        mend(find_reading(dataset), smollm2_card, [Fix.trim], tmp_path / "mended", 100, lambda _rows, _bytes: None)


def test_of_a_large_file_a_sample_is_tokenized_and_every_row_read(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    rows: list[object] = [pair(f"Question {n}", f"Answer {n} " * (400 if n == 777 else 5)) for n in range(1000)]
    dataset = jsonl(tmp_path, [*rows, rows[5], pair("Mail", "mia@example.org")])
    heard: list[tuple[int, int]] = []
    surveyor = Surveyor(ChatTemplate(smollm2_card), smollm2_card.eos_tokens, sample=100)
    survey = surveyor.look(find_reading(dataset), lambda read, at: heard.append((read, at)))
    assert (survey.rows, survey.sampled, 80 <= len(survey.sample) <= 100) == (1002, True, True)
    assert survey.longest > 1200, "the longest row is tokenized wherever it lies"
    assert survey.found[FindingCode.personal_data].lines == [1002]
    assert later_copies(survey.identities).nonzero()[0].tolist() == [1000]
    assert heard[-1] == (1002, dataset.stat().st_size)
    assert max(row.number for row in survey.sample) > 900


def test_an_answer_with_a_weight_of_0_leads_up_and_is_not_learned(smollm2_card: BaseModelCard) -> None:
    talk = [Message(role="user", content="Hi"), Message(role="assistant", content="Oh", learned=False),
            Message(role="user", content="Hm?"), Message(role="assistant", content="Hello")]  # fmt: skip
    assert [text for text, trained in ChatTemplate(smollm2_card).parts(talk) if trained] == ["Hello<|im_end|>"]


def test_long_questions_are_no_reason_to_refuse_as_long_as_the_model_reads_them(
    tmp_path: Path, smollm2_card: BaseModelCard
) -> None:
    data: list[object] = [pair(f"{n} " + "word " * 2600, f"Answer {n}.") for n in range(20)]
    findings = inspect_dataset(jsonl(tmp_path, data), smollm2_card)
    assert findings.lengths is not None
    assert findings.lengths.max_length > 2600
    assert sum(findings.lengths.kept) == 20
    assert findings.answer_starts[0] > 2600
    short = smollm2_card.model_copy(update={"context_length": 1024})
    with pytest.raises(AgentError, match="reads 1,024 tokens at most, and the answers of all 20 rows begin behind"):
        inspect_dataset(jsonl(tmp_path, data), short)


def long_talk(answers: int) -> dict[str, object]:
    turns = [{"role": role, "content": f"{role} {n}"} for n in range(answers) for role in ("user", "assistant")]
    return {"messages": [{"role": "system", "content": "Be Ruth."}, *turns], "note": "Of last summer."}


def test_a_single_long_talk_is_learned_answer_by_answer(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    path = jsonl(tmp_path, [long_talk(30)])
    found = inspect_dataset(path, smollm2_card)
    assert (found.rows, found.dropped_count) == (30, 0)
    assert [f.message for f in found.findings if f.code is FindingCode.unread_columns] == [
        "Not shown to the model, by key and rows: `note` (1)."
    ]
    examples = list(learned_rows(chat_rows(find_reading(path), ChatTemplate(smollm2_card), Drops()),
                                 ChatTemplate(smollm2_card)))  # fmt: skip
    assert [row.messages[-1].content for row in examples] == [f"assistant {n}" for n in range(30)]
    assert all(row.messages[0].content == "Be Ruth." and len(row.messages) <= 13 for row in examples)
    output = tmp_path / "mended"
    output.touch()
    assert mend(find_reading(path), smollm2_card, [Fix.trim], output, 1 << 20, lambda *_: None).rows == 1


def test_of_ten_talks_each_stays_whole(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    talks: list[object] = [long_talk(12 + n) for n in range(10)]
    assert inspect_dataset(jsonl(tmp_path, talks), smollm2_card).rows == 10
