"""What only looks like a talk, a chat or an export is read as what it is, and a talk by the two who open it."""

import json
from pathlib import Path
from typing import Any

import pytest

from agent.data.chat_rows import to_messages
from agent.data.chat_template import ChatTemplate
from agent.data.lost_texts import lost_texts
from agent.data.readers.rendered import as_messages, turns_in
from agent.data.readers.unclear import UnclearError
from agent.data.reading import find_reading
from agent.data.turns import Message
from agent.data.usable_rows import Drops, chat_rows
from shared.inspections import DatasetForm
from tests.agent.data.families import template_of

WORDS = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu")


def read(tmp_path: Path, rows: list[Any], template: ChatTemplate | None = None) -> list[list[Message]]:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return [row.messages for row in chat_rows(find_reading(path), template or template_of("qwen2_5"), Drops())]


def said(text: str) -> list[str]:
    return [turn["content"] for turn in as_messages(turns_in(text))]


@pytest.mark.parametrize(
    ("text", "turns"),
    [
        ("Question: Which is near?\nA: Paris\nB: London\nAnswer: A", ["Which is near?\nA: Paris\nB: London", "A"]),
        ("User: How?\nAssistant: Sure:\nInput: 3\nOutput: 9\nThat is all.",
         ["How?", "Sure:\nInput: 3\nOutput: 9\nThat is all."]),
        ("### Instruction:\nSquare it\n\n### Input:\n3\n\n### Response:\nSo:\n## Input\n3\n## Output\n9",
         ["Square it\n\n3", "So:\n## Input\n3\n## Output\n9"]),
        ("### Human: Hi### Assistant: Hello", ["Hi", "Hello"]),
        ("User: root\nHost: home", []),
        ("input: 3\nmodel: qwen", []),
        ("### Input\n3\n### Output\n9", []),
        ("The plan.\nA: first\nQ: later", []),
    ],
)  # fmt: skip
def test_only_the_two_who_open_a_talk_speak_in_it(text: str, turns: list[str]) -> None:
    assert said(text) == turns


def test_an_answer_about_questions_stays_whole(tmp_path: Path) -> None:
    told = "Q: Does it sleep?\nA: Yes."
    rows = [{"prompt": f"Human: A FAQ of {word}\n\nAssistant:", "completion": f" About {word}."} for word in WORDS]
    rows.append({"prompt": "Human: A FAQ of nu\n\nAssistant:", "completion": f" {told}"})
    assert read(tmp_path, rows)[-1][-1].content == told


def test_a_prompt_that_was_rendered_beside_a_response_is_read_as_turns(tmp_path: Path) -> None:
    begin, end = "<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n"
    rows = [{"prompt": f"{begin}How is {word}?{end}", "response": f"Fine, {word}."} for word in WORDS]
    [asked, told] = read(tmp_path, rows)[0]
    assert (asked.content, told.content) == ("How is alpha?", "Fine, alpha.")


def test_a_history_beside_its_answer_does_not_take_its_place(tmp_path: Path) -> None:
    rows = [{"history": f"User: hi\nAssistant: hello\nUser: how is {w}?", "reply": f"It is {w}."} for w in WORDS]
    with pytest.raises(UnclearError) as asked:
        read(tmp_path, rows)
    assert asked.value.question.choices[0].mapping.answer == "reply"


def test_turns_are_known_by_other_names(tmp_path: Path) -> None:
    talks = [
        [{"speaker": "Customer", "text": f"How is {word}?"}, {"sender": "bot", "message": f"Fine, {word}."}]
        for word in WORDS
    ]
    for rows in (talks, [{"dialogue": talk} for talk in talks], [{"turns": [t["text"], "Fine."]} for t, _a in talks]):
        [asked, told] = read(tmp_path, rows)[0]
        assert (asked.role, asked.content, told.role) == ("user", "How is alpha?", "assistant")
        assert told.content.startswith("Fine")
    row = {"dialogue": talks[0]}
    assert not lost_texts(row, to_messages(row, DatasetForm.sharegpt))


@pytest.mark.parametrize(
    ("names", "answer"),
    [
        (("user_prompt", "model_output"), "model_output"),
        (("customer_message", "model_response"), "model_response"),
        (("file_question", "file_answer"), "file_answer"),
    ],
)
def test_a_column_that_says_that_it_answers_is_proposed(tmp_path: Path, names: tuple[str, str], answer: str) -> None:
    rows = [{names[0]: f"How is {word} today?", names[1]: f"It is {word}, and fine."} for word in WORDS]
    with pytest.raises(UnclearError) as asked:
        read(tmp_path, rows)
    assert asked.value.question.choices[0].mapping.answer == answer


@pytest.mark.parametrize(
    "names",
    [
        ("user", "message", "timestamp", "response"),
        ("author", "body", "ticket_id", "agent_reply"),
    ],
)
def test_a_table_with_an_answer_beside_its_message_is_no_chat(tmp_path: Path, names: tuple[str, ...]) -> None:
    cells = [("Mia" if n % 2 else "Tom", f"How is {w} now?", f"2026-03-{n + 1:02}", f"It is {w}, all good.")
             for n, w in enumerate(WORDS)]  # fmt: skip
    with pytest.raises(UnclearError) as asked:
        read(tmp_path, [dict(zip(names, row, strict=True)) for row in cells])
    assert asked.value.question.about == "columns"
    assert asked.value.question.choices[0].mapping.answer == names[3]


def test_a_column_called_contents_makes_no_request_of_a_table(tmp_path: Path) -> None:
    rows = [{"title": f"On {w}", "contents": f"A text on {w} here.", "summary": f"It is {w}, in short."} for w in WORDS]
    with pytest.raises(UnclearError) as asked:
        read(tmp_path, rows)
    assert asked.value.question.about == "columns"


def test_a_log_whose_beginning_is_a_talk_and_whose_whole_is_none_is_still_read(tmp_path: Path) -> None:
    talk = "".join(f"You: How is {n}?\nMax: It is {n} and fine, as it always was.\n" for n in range(2000))
    path = tmp_path / "log.txt"
    path.write_text(f"{talk}PS: bring bread.\n", encoding="utf-8")
    assert list(chat_rows(find_reading(path), template_of("qwen2_5"), Drops()))


def test_the_system_column_stays_where_two_others_were_said(tmp_path: Path) -> None:
    rows = [{"system_prompt": "You are Ada.", "user_prompt": f"How is {w}?", "assistant_response": f"{w} is fine."}
            for w in WORDS]  # fmt: skip
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    with pytest.raises(UnclearError) as asked:
        find_reading(path)
    reading = find_reading(path, asked.value.question.choices[0].mapping)
    [system, *_talk] = next(iter(chat_rows(reading, template_of("qwen2_5"), Drops()))).messages
    assert (system.role, system.content) == ("system", "You are Ada.")
