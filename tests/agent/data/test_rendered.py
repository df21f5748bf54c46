"""Talks that were rendered into a text are read as turns, where a file is made of them; a text with a label is none."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from agent.base_models.card import BaseModelCard
from agent.data.chat_rows import to_messages
from agent.data.inspect import inspect_dataset
from agent.data.readers.formats import read_rows
from agent.data.readers.rendered import as_messages, turns_in
from agent.data.reading import find_reading
from shared.inspections import DatasetForm, FindingCode
from tests.agent.data.test_formats import written

BRIEF = {"role": "system", "content": "Be brief."}
ASKED = {"role": "user", "content": "Why is bread dense?\nAnd tea bitter?"}
TOLD = {"role": "assistant", "content": "Too dry. Note: it rises\n\nslowly, for 2 hours."}
AGAIN = {"role": "user", "content": "How long?"}
LAST = {"role": "assistant", "content": "An hour."}
TALK = [ASKED, TOLD, AGAIN, LAST]


def rendered(talk: list[dict[str, str]], marks: dict[str, str], end: str = "\n") -> str:
    return "".join(marks[turn["role"]] + turn["content"] + end for turn in talk)


def roles(mark: str, user: str = "user", assistant: str = "assistant") -> dict[str, str]:
    return {"system": mark % "system", "user": mark % user, "assistant": mark % assistant}


LLAMA_3 = roles("<|start_header_id|>%s<|end_header_id|>\n\n")
FRAMES = {
    "human": rendered(TALK, roles("### %s: ", "Human", "Assistant"), ""),
    "human on lines": rendered(TALK, roles("### %s:\n", "Human", "Assistant"), "\n\n"),
    "user without colon": rendered(TALK, roles("### %s\n", "User", "Assistant"), "\n\n"),
    "chatml": rendered(TALK, roles("<|im_start|>%s\n"), "<|im_end|>\n"),
    "chatml with an end": rendered(TALK, roles("<|im_start|>%s\n"), "<|im_end|>\n") + "<|endoftext|>",
    "llama 3": "<|begin_of_text|>" + rendered(TALK, LLAMA_3, "<|eot_id|>"),
    "llama 4": "<|begin_of_text|>" + rendered(TALK, roles("<|header_start|>%s<|header_end|>\n\n"), "<|eot|>"),
    "llama 2": f"<s>[INST] {ASKED['content']} [/INST] {TOLD['content']} </s><s>[INST] How long? [/INST] An hour. </s>",
    "mistral": f"<s>[INST]{ASKED['content']}[/INST]{TOLD['content']}</s>[INST]How long?[/INST]An hour.</s>",
    "gemma": "<bos>" + rendered(TALK, roles("<start_of_turn>%s\n", assistant="model"), "<end_of_turn>\n"),
    "zephyr": rendered(TALK, roles("<|%s|>\n"), "</s>\n"),
    "phi": rendered(TALK, roles("<|%s|>\n"), "<|end|>\n"),
    "oasst": rendered(TALK, roles("<|%s|>", "prompter"), "<|endoftext|>"),
    "deepseek": "<｜begin▁of▁sentence｜>"
    + rendered(TALK, roles("<｜%s｜>", "User", "Assistant"), "<｜end▁of▁sentence｜>"),
    "anthropic": "\n\n" + rendered(TALK, roles("%s: ", "Human", "Assistant"), "\n\n"),
    "questions": rendered(TALK, roles("%s: ", "Q", "A")),
    "fragen": rendered(TALK, roles("%s: ", "Frage", "Antwort")),
    "bold": rendered(TALK, roles("**%s:** ", "Question", "Answer"), "\n\n"),
    "users": rendered(TALK, roles("%s: ", "User", "Assistant")),
    "capitals": rendered(TALK, roles("%s: ", "USER", "ASSISTANT")),
    "ai": rendered(TALK, roles("%s: ", "Human", "AI")),
}


@pytest.mark.parametrize("text", FRAMES.values(), ids=FRAMES)
def test_turns_are_read_back(text: str) -> None:
    assert as_messages(turns_in(text)) == TALK


@pytest.mark.parametrize(
    "text",
    [
        rendered([BRIEF, *TALK], roles("<|im_start|>%s\n"), "<|im_end|>\n"),
        rendered([BRIEF, *TALK], LLAMA_3, "<|eot_id|>"),
        (
            f"<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\n{ASKED['content']} [/INST]"
            f" {TOLD['content']}</s>[INST] How long? [/INST] An hour."
        ),
        (
            "[SYSTEM_PROMPT]Be brief.[/SYSTEM_PROMPT][INST]"
            f"{ASKED['content']}[/INST]{TOLD['content']}</s>[INST]How long?[/INST]An hour."
        ),
        rendered([BRIEF, *TALK], roles("### %s:\n", "User", "Assistant"), "\n\n"),
        "Be brief.\n\n" + FRAMES["human on lines"],
        "Be brief. " + FRAMES["capitals"].replace("\nASSISTANT", "\nASSISTANT").replace("USER", "\nUSER", 1),
    ],
)
def test_what_stands_before_the_talk_is_its_system_text(text: str) -> None:
    assert as_messages(turns_in(text)) == [BRIEF, *TALK]


def test_the_input_of_alpacas_frame_belongs_to_the_question() -> None:
    frame = "Below is an instruction.\n\n### Instruction:\nSum it up.\n\n### Input:\n{}\n\n### Response:\nCats sleep."
    for about, asked in (("Cats sleep all day.", "Sum it up.\n\nCats sleep all day."), ("", "Sum it up.")):
        assert as_messages(turns_in(frame.format(about))) == [
            {"role": "system", "content": "Below is an instruction."},
            {"role": "user", "content": asked},
            {"role": "assistant", "content": "Cats sleep."},
        ]


def test_somebody_with_a_name_answers() -> None:
    named = as_messages(turns_in("Captain Ruth: Ahoy!\nYou: How long?\nCaptain Ruth: An hour.\n"))
    assert named == [{"role": "assistant", "content": "Ahoy!"}, AGAIN, LAST]
    assert turns_in("You: Hi\nAnn: Ho\nBob: Hey") == []


@pytest.mark.parametrize(
    "text",
    [
        "Grade A: the best there is.",
        "He said, A: it is late, and B: we should go.",
        "The interview.\n\nA: nobody asked.",
        "Note: this is a text.\nWarning: it has colons.",
        "Use [INST] to begin.",
        "<|im_start|>Mia\nHi<|im_end|>\n<|im_start|>Tom\nHo<|im_end|>",
        "### Results\n\nGood.\n\n### Answer\n\nYes.",
    ],
)
def test_a_text_with_a_mark_in_it_is_no_talk(text: str) -> None:
    assert turns_in(text) == []


def rows_of(path: Path, rows: list[dict[str, Any]]) -> Path:
    return written(path, "".join(json.dumps(row) + "\n" for row in rows))


def numbered(text: str) -> list[str]:
    return [text.replace("How long", f"How long are {n}") for n in range(12)]


@pytest.mark.parametrize("name", FRAMES)
def test_a_column_of_talks_is_learned_answer_by_answer(tmp_path: Path, name: str, smollm2_card: BaseModelCard) -> None:
    path = rows_of(tmp_path, [{"text": text, "id": n} for n, text in enumerate(numbered(FRAMES[name]))])
    findings = inspect_dataset(path, smollm2_card)
    assert (findings.form, findings.rows, findings.dropped_count) == (DatasetForm.messages, 12, 0)
    assert FindingCode.special_tokens not in {finding.code for finding in findings.findings}
    learned = [text for text, is_learned in findings.sample.parts if is_learned]
    assert learned == [f"{TOLD['content']}<|im_end|>", f"{LAST['content']}<|im_end|>"]


def test_any_column_may_hold_them_and_a_row_that_does_not_is_named(tmp_path: Path) -> None:
    rows = [{"dialogue": text, "source": "x"} for text in numbered(FRAMES["users"])]
    path = rows_of(tmp_path, [*rows, {"dialogue": "A letter.", "source": "x"}])
    read = list(read_rows(path))
    assert (read[0].value or {}).keys() == {"messages", "source"}
    assert read[12].problem == "has no talk in `dialogue`, as the other rows have"


def test_most_rows_decide_whether_a_file_holds_talks(tmp_path: Path) -> None:
    texts = [*numbered("A letter about: How long.")[:7], *numbered(FRAMES["questions"])[:5]]
    assert find_reading(rows_of(tmp_path, [{"text": text} for text in texts])).form is DatasetForm.text


def test_a_prompt_may_be_rendered_up_to_its_answer(tmp_path: Path) -> None:
    prompts = {
        "### Human: How long?\n### Assistant:": " An hour.",
        "User: How long?\nAssistant:": " An hour.",
        "<|im_start|>user\nHow long?<|im_end|>\n<|im_start|>assistant\n": "An hour.<|im_end|>",
        "[INST] How long? [/INST]": " An hour.</s>",
        "### Instruction:\nHow long?\n\n### Response:": "\nAn hour.",
    }
    for prompt, completion in prompts.items():
        path = rows_of(tmp_path, [{"prompt": prompt, "completion": completion}] * 12)
        reading = find_reading(path)
        assert reading.form is DatasetForm.prompt_completion
        row = next(read_rows(path)).value or {}
        assert [turn.as_dict() for turn in to_messages(row, reading.form)] == [AGAIN, LAST]


def test_a_preferred_answer_may_be_the_whole_talk(tmp_path: Path) -> None:
    chosen = FRAMES["anthropic"]
    path = rows_of(tmp_path, [{"chosen": chosen, "rejected": chosen.replace("An hour", "No")}] * 12)
    row = next(read_rows(path)).value or {}
    assert [turn.as_dict() for turn in to_messages(row, DatasetForm.preference)] == TALK


def test_a_table_may_hold_them(tmp_path: Path) -> None:
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerows([["text"], *([talk] for talk in numbered(FRAMES["human"]))])
    assert [len((row.value or {})["messages"]) for row in read_rows(written(tmp_path, text.getvalue()))] == [4] * 12


PAIRS = [(f"How long do {n} eggs boil, in minutes?", f"{n} minutes, or so.") for n in range(12)]


@pytest.mark.parametrize(
    "content",
    [
        "\n\n".join(f"Q: {asked}\nA: {told}" for asked, told in PAIRS),
        "\r\n\r\n".join(f"Q: {asked}\r\nA: {told}" for asked, told in PAIRS),
        "\n".join(f"Q: {asked}\nA: {told}" for asked, told in PAIRS),
        "\n\n".join(f"Question: {asked}\n\nAnswer: {told}" for asked, told in PAIRS),
        "\n---\n".join(f"Frage: {asked}\nAntwort: {told}" for asked, told in PAIRS),
        "\n\n".join(f"**Q{n}:** {asked}\n**A{n}:** {told}" for n, (asked, told) in enumerate(PAIRS)),
        "\n\n".join(f"{n}. Q: {asked}\n   A: {told}" for n, (asked, told) in enumerate(PAIRS)),
        "\n\n".join(f"User: {asked}\nAssistant: {told}" for asked, told in PAIRS),
        "\r\n\r\n".join(f"User: {asked}\r\n\r\nAssistant: {told}" for asked, told in PAIRS),
        "\n\n".join(f"### Instruction:\n{asked}\n\n### Response:\n{told}" for asked, told in PAIRS),
        "".join(f"<s>[INST] {asked} [/INST] {told} </s>" for asked, told in PAIRS),
    ],
)
def test_a_text_file_of_questions_and_answers_is_one_row_each(tmp_path: Path, content: str) -> None:
    turns = [[{"role": "user", "content": asked}, {"role": "assistant", "content": told}] for asked, told in PAIRS]
    path = written(tmp_path, content)
    assert [(row.value or {})["messages"] for row in read_rows(path)] == turns
    assert find_reading(path).form is DatasetForm.messages


def test_a_long_talk_in_a_text_file_becomes_rows_of_some_turns(tmp_path: Path) -> None:
    path = written(tmp_path, "\n".join(f"You: {asked}\nRuth: {told}" for asked, told in PAIRS * 4))
    rows = [(row.line, len((row.value or {})["messages"])) for row in read_rows(path)]
    assert rows == [(1 + 10 * n, 10) for n in range(9)] + [(91, 6)]


def test_what_stands_before_the_questions_of_a_file_is_named_and_no_part_of_a_row(tmp_path: Path) -> None:
    content = "Our questions\n\nAs of March.\n\n" + "\n\n".join(f"Q: {asked}\nA: {told}" for asked, told in PAIRS)
    first, *rows = read_rows(written(tmp_path, content))
    assert "before the first question" in (first.problem or "")
    assert [len((row.value or {})["messages"]) for row in rows] == [2] * len(PAIRS)


def test_a_story_in_which_somebody_is_asked_stays_a_text(tmp_path: Path) -> None:
    story = "\n\n".join(f"It was evening {n}.\nQ: Who is there?\nNobody said a word." for n in range(40))
    assert find_reading(written(tmp_path, story)).form is DatasetForm.text
