import pytest

from agent.data.rows import Message, RowProblem, detect_form, to_messages
from shared.inspections import DatasetForm

USER, ASSISTANT = Message(role="user", content="Hi"), Message(role="assistant", content="Hello")


@pytest.mark.parametrize(
    ("row", "form"),
    [
        ({"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}, "messages"),
        ({"prompt": "Hi", "completion": "Hello"}, "prompt/completion"),
        (
            {"prompt": [{"role": "user", "content": "Hi"}], "completion": [{"role": "assistant", "content": "Hello"}]},
            "prompt/completion",
        ),
        ({"instruction": "Hi", "input": "", "output": "Hello"}, "alpaca"),
        ({"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]}, "sharegpt"),
        ({"conversations": [{"role": "User", "content": "Hi"}, {"role": "Assistant", "content": "Hello"}]}, "sharegpt"),
        ({"question": "Hi", "answer": "Hello"}, "question/answer"),
        ({"Question": "Hi", "Answer": "Hello", "id": "7"}, "question/answer"),
        ({"input": "Hi", "output": "Hello"}, "question/answer"),
        ({"prompt": "Hi", "chosen": "Hello", "rejected": "What?"}, "preference"),
        (
            {
                "conversations": [{"from": "human", "value": "Hi"}],
                "chosen": {"from": "gpt", "value": "Hello"},
                "rejected": {"from": "gpt", "value": "What?"},
            },
            "preference",
        ),
        (
            {"chosen": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}], "rejected": []},
            "preference",
        ),
        ({"prompt": "Hi", "completion": "Hello", "label": True}, "labelled"),
        (
            {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}], "label": True},
            "labelled",
        ),
    ],
)
def test_each_form_gives_the_same_messages(row: dict[str, object], form: str) -> None:
    assert detect_form(set(row)) == DatasetForm(form)
    assert to_messages(row, DatasetForm(form)) == [USER, ASSISTANT]


def test_alpaca_input_is_appended_to_the_instruction() -> None:
    row = {"instruction": "Add", "input": "2, 3", "output": "5"}
    assert to_messages(row, DatasetForm.alpaca)[0].content == "Add\n\n2, 3"


def test_alpaca_history_comes_before_the_question() -> None:
    row = {"instruction": "Bye", "output": "See you", "history": [["Hi", "Hello"]], "system": "Be brief"}
    assert [message.content for message in to_messages(row, DatasetForm.alpaca)] == [
        "Be brief", "Hi", "Hello", "Bye", "See you",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("label", "reason"),
    [(False, "labelled as a bad answer"), ("no", "neither true nor false"), (1, "neither true nor")],
)
def test_an_answer_that_was_found_bad_is_never_learned(label: object, reason: str) -> None:
    with pytest.raises(RowProblem, match=reason):
        to_messages({"prompt": "Hi", "completion": "Go away", "label": label}, DatasetForm.labelled)


def test_unknown_keys_fit_no_form() -> None:
    assert detect_form({"text", "label"}) is None


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"messages": []}, "no list of turns"),
        ({"messages": [{"role": "wizard", "content": "x"}]}, "role 'wizard'"),
        ({"messages": [{"role": "user", "content": "Hi"}]}, "ends with the user's turn"),
        ({"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": " "}]}, "empty answer"),
        ({"messages": [{"role": "user", "content": 3}, {"role": "assistant", "content": "x"}]}, "without text"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "no user turn"),
    ],
)
def test_a_row_that_cannot_train_says_why(row: dict[str, object], reason: str) -> None:
    with pytest.raises(RowProblem, match=reason):
        to_messages(row, DatasetForm.messages)
