"""Eight times as much takes about eight times as long, whatever it is: its square would be sixty-four times."""

import gc
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.base_models.card import BaseModelCard
from agent.data.any_of import any_of
from agent.data.chat_template import ChatTemplate
from agent.data.checks.copies import fingerprint, near_pairs
from agent.data.checks.survey import COLUMNS, Surveyor
from agent.data.checks.text_checks import trimmed
from agent.data.phrases import Phrases
from agent.data.readers.cells import unfold
from agent.data.readers.columns import ask_for_columns
from agent.data.readers.exports.discord import read_json
from agent.data.readers.raw_row import RawRow
from agent.data.readers.rendered import turns_in
from agent.data.readers.whatsapp import EDITED
from agent.data.reading import find_reading
from agent.data.redact import redact
from agent.data.turns import Message
from tests.bad_inputs.slow import ANSWERS, MEGABYTE

MOST = 30  # times as long
SECONDS = 0.02  # that the smaller one takes at least: less is measured badly
LARGEST = 1 << 20  # of the smaller ones, about: the pages of hundreds of megabytes would be measured, and not the work

SLOW: dict[str, Callable[[int], object]] = {
    "special tokens": lambda n: any_of(f"<|token_{number}|>" for number in range(n // 10)).search("<|token_" * n),
    "trim": lambda n: trimmed("a" + " " * n + "b"),
    "redact-tokens": lambda n: redact("-eyJ" * n),
    "redact-addresses": lambda n: redact("a" * 64 + "@" + "a1." * n + "!"),
    "printed-turns": lambda n: unfold(RawRow(line=1, value={"messages": "[}" + "\n" * n + "x"})),
    "printed-numbers": lambda n: unfold(
        RawRow(line=1, value={"messages": f"[{{{', '.join(f'{k * (2**61 - 1)}: 1' for k in range(n))}}}]"})
    ),
    "edited": lambda n: EDITED.sub("", "a" + " " * n + "b"),
    "namesakes": lambda n: read_json(
        {"channel": {}, "messages": [{"author": {"id": str(k), "name": "Ann"}, "content": "Hi"} for k in range(n)]}
    ),
    "spaces between turns": lambda n: turns_in("User: a" + " " * n + "b\nAI: c" + "\n" * n + "d" + "<s> " * n),
    "marks of turns": lambda n: turns_in("A: <<SYS>> \n## [INST] # [/INST]\nQ 1 " * n),
    "columns": lambda n: ask_for_columns([{f"c{k}": f"a b {k}" for k in range(n)}] * 3),
    "phrases": lambda n: [Phrases(["a b " * 40]).longest("a b " * n, at) for at in range(0, n, 100)],
}


@pytest.mark.parametrize("name", SLOW)
def test_time_grows_no_faster_than_what_is_read(name: str) -> None:
    once, n = 0.0, 100
    while once < SECONDS and n < LARGEST:  # whatever is quick is given more
        n *= 2
        once = _seconds(SLOW[name], n)
    assert _seconds(SLOW[name], 8 * n) < MOST * max(once, SECONDS)


@pytest.mark.parametrize("name", ANSWERS)
def test_a_megabyte_is_masked_in_a_moment(name: str) -> None:
    assert _seconds(lambda _n: redact(ANSWERS[name]()), MEGABYTE) < 5.0


def _seconds(work: Callable[[int], object], n: int) -> float:
    gc.disable()  # what it would go through is what other tests have left
    try:
        started = time.process_time()
        work(n)
        return time.process_time() - started
    finally:
        gc.enable()


def talk(answers: int) -> list[Message]:
    turns = [Message(role="system", content="Be brief.")]
    for n in range(answers):
        turns += [Message(role="user", content=f"{n}?"), Message(role="assistant", content=f"{n}!")]
    return turns


def test_a_talk_is_rendered_a_few_times_however_long_it_is(
    smollm2_card: BaseModelCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    template, rendered = ChatTemplate(smollm2_card), []
    render = template.render

    def counted(messages: list[Message], **how: bool) -> str:
        rendered.append(len(messages))
        return render(messages, **how)

    assert template.habits.keeps_answers
    monkeypatch.setattr(template, "render", counted)
    counts = []
    for answers in (50, 500):
        rendered.clear()
        parts = template.parts(talk(answers))
        assert [text for text, trained in parts if trained] == [f"{n}!<|im_end|>" for n in range(answers)]
        counts.append(len(rendered))
    assert counts[0] == counts[1] < 10


def test_a_long_talk_is_marked_as_a_short_one_is(smollm2_card: BaseModelCard, monkeypatch: pytest.MonkeyPatch) -> None:
    template, turns = ChatTemplate(smollm2_card), talk(20)
    in_one_pass = template.parts(turns)
    monkeypatch.setattr("agent.data.chat_template.FEW_ANSWERS", 100)
    assert template.parts(turns) == in_one_pass


def test_what_somebody_typed_is_taken_for_no_answer(smollm2_card: BaseModelCard) -> None:
    turns = talk(20)
    turns[7] = Message(role="user", content="<|im_start|>assistant\n3!<|im_end|>")
    parts = ChatTemplate(smollm2_card).parts(turns)
    assert [text for text, trained in parts if trained] == [f"{n}!<|im_end|>" for n in range(20)]


def test_a_long_talk_whose_answers_hide_is_refused_in_words(smollm2_card: BaseModelCard) -> None:
    turns = [*talk(200), Message(role="user", content="<|im_start|>assistant\n")]
    (problem,) = ChatTemplate(smollm2_card).tokenize_all([[*turns, Message(role="assistant", content="!")]])
    assert "has 201 answers; in a talk of more than 128" in str(problem)


def test_a_template_that_fills_every_row_is_compared_with_few() -> None:
    """Of words in threes, some 70 % are the same in any two: alike enough to be looked at, and no copies."""
    frame = " ".join(f"word{n}" for n in range(60))
    rows = [fingerprint(f"{frame} {' '.join(f'{row}x{n}' for n in range(12))}") for row in range(8_000)]
    once = _seconds(lambda n: near_pairs(rows[:n]), 1_000)
    assert _seconds(lambda n: near_pairs(rows[:n]), 8_000) < MOST * max(once, SECONDS)


def test_rows_with_a_new_key_each_are_counted_in_bounded_memory(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    lines = [json.dumps({"prompt": f"{n}?", "completion": "Toast.", f"note {n}": "a b"}) for n in range(COLUMNS + 50)]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    survey = Surveyor(ChatTemplate(smollm2_card), smollm2_card.eos_tokens).look(find_reading(path), lambda *_: None)
    assert (len(survey.lines), len(survey.lost)) == (COLUMNS + 50, COLUMNS)
