import pytest

from agent.data.chat_rows import detect_form, to_messages
from agent.data.lost_texts import lost_texts
from agent.data.turns import EmptyText, Message, RowProblem
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


Q, C = "Sum it up", "Cats sleep."
ASKED = Message(role="user", content=f"{Q}\n\n{C}")
TOLD = Message(role="assistant", content="They sleep.")
BRIEF = Message(role="system", content="Be brief")


@pytest.mark.parametrize(
    ("row", "messages"),
    [
        ({"instruction": Q, "context": C, "response": "They sleep.", "category": "sum"}, [ASKED, TOLD]),  # Dolly
        ({"question": Q, "context": C, "answer": "They sleep."}, [ASKED, TOLD]),
        ({"instruction": Q, "input": C, "response": "They sleep."}, [ASKED, TOLD]),
        ({"Instruction": Q, "Input": C, "Output": "They sleep."}, [ASKED, TOLD]),
        ({"instruction": Q, "input": C, "chosen": "They sleep.", "rejected": "No."}, [ASKED, TOLD]),
        ({"system": "Be brief", "question": "Hi", "chosen": "Hello", "rejected": "No."}, [BRIEF, USER, ASSISTANT]),
        ({"system_prompt": "Be brief", "question": "Hi", "response": "Hello"}, [BRIEF, USER, ASSISTANT]),
        ({"Prompt": "Hi", "Completion": "Hello"}, [USER, ASSISTANT]),
        ({"prompt": "Hi", "response": "Hello"}, [USER, ASSISTANT]),
        ({"question": "Hi", "answer": 4}, [USER, Message(role="assistant", content="4")]),
        (
            {
                "prompt": [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "Hi"}],
                "chosen": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}],
                "rejected": [],
            },
            [BRIEF, USER, ASSISTANT],
        ),
        (
            {
                "input": {"messages": [{"role": "user", "content": "Hi"}]},
                "preferred_output": [{"role": "assistant", "content": "Hello"}],
                "non_preferred_output": [{"role": "assistant", "content": "No."}],
            },
            [USER, ASSISTANT],
        ),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]},
                       {"role": "assistant", "content": "Hello"}]}, [USER, ASSISTANT]),
        ({"conversation": [{"from": "customer", "value": "Hi"}, {"from": "agent", "value": "Hello"}]},
         [USER, ASSISTANT]),
    ],
)  # fmt: skip
def test_nothing_that_belongs_to_a_row_is_left_out(row: dict[str, object], messages: list[Message]) -> None:
    form = detect_form(row)
    assert form is not None
    assert to_messages(row, form) == messages
    assert lost_texts(dict(row), messages) <= {"category"}  # where a row is from is named, and no more


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "Hi", "completion": "Go away", "label": False},
        {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "No"}], "kto_tag": False},
        {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "No", "weight": 0}]},
    ],
)
def test_what_its_owner_marked_is_not_learned_in_any_form(row: dict[str, object]) -> None:
    form = detect_form(row)
    assert form is not None
    with pytest.raises(RowProblem, match=r"bad answer|weight of 0"):
        to_messages(row, form)


def test_what_was_said_after_the_last_answer_is_not_learned_and_named() -> None:
    row = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"},
                        {"role": "user", "content": "Thanks"}]}  # fmt: skip
    messages = to_messages(row, DatasetForm.messages)
    assert messages == [USER, ASSISTANT]
    assert lost_texts(row, messages) == {"messages.content"}


@pytest.mark.parametrize(
    "answer",
    [
        {"role": "assistant", "content": "Hello", "reasoning_content": "They greet."},
        {"role": "assistant", "content": "Hello", "thinking": "They greet."},
        {"role": "assistant", "content": "<think>\nThey greet.\n</think>\n\nHello"},
    ],
)
def test_thoughts_are_read_beside_an_answer_and_in_front_of_it(answer: dict[str, str]) -> None:
    row = {"system": "Be brief", "messages": [{"role": "user", "content": "Hi"}, answer]}
    system, asked, told = to_messages(row, DatasetForm.messages)
    assert (system.content, asked) == ("Be brief", USER)
    assert (told.content, told.thoughts) == ("Hello", "They greet.")


def test_a_column_that_no_form_reads_is_named() -> None:
    row = {"question": "Hi", "answer": "Hello", "why": "Because he said hi.", "id": "a b", "n": 3}
    assert lost_texts(row, [USER, ASSISTANT]) == {"why"}


def test_unknown_keys_fit_no_form() -> None:
    assert detect_form({"text", "class"}) is None
    assert detect_form({"text", "label", "comment"}) is None


@pytest.mark.parametrize(("label", "learned"), [("good", "good"), (0, "0"), (True, "true"), (False, "false")])
def test_a_label_beside_a_text_is_its_answer_as_written(label: object, learned: str) -> None:
    row = {"id": 3, "text": "Fast delivery.", "label": label}
    assert detect_form(row) is DatasetForm.question_answer
    assert to_messages(row, DatasetForm.question_answer)[-1].content == learned


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


def test_a_column_goes_by_the_name_that_the_file_gives_it() -> None:
    with pytest.raises(EmptyText, match="has no text in `Preferred_Output`"):
        to_messages({"Preferred_Output": "", "Non_Preferred_Output": "b", "Prompt": "Hi"}, DatasetForm.preference)


@pytest.mark.parametrize(
    "row",
    [
        {"Messages": "Hi"},
        {"Conversation": []},
        {"Prompt": "Hi", "Completion": "Ho", "KTO_Tag": 3},
        {"Instruction": "Hi", "Output": "Ho", "History": "none"},
        {"messages": [{"role": "user", "content": "Hi"}], "Tools": "look up"},
        {"Question": "Hi", "Answer": " "},
    ],
    ids=lambda row: "-".join(row),
)
def test_what_is_wrong_with_a_row_is_said_by_the_name_of_its_own_column(row: dict[str, object]) -> None:
    form = detect_form(row)
    assert form is not None
    with pytest.raises(RowProblem, match=f"`{list(row)[-1]}`"):
        to_messages(row, form)
