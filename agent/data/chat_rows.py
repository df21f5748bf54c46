"""One row of a dataset as a chat: every known form becomes the same list of messages. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from agent.data import tools
from agent.data.turns import (
    BadExample,
    ColumnProblem,
    EmptyText,
    Message,
    NoText,
    RowProblem,
    read_turn,
    thinking,
)
from shared.inspections import DatasetForm
from shared.language import N_, _

PAIRS = (  # two columns, what is asked and what is answered; the first that a row has counts
    ("question", "answer"),
    ("query", "response"),
    ("instruction", "response"),
    ("input", "output"),
    ("input", "response"),
    ("question", "response"),
    ("user", "assistant"),
    ("q", "a"),
    ("prompt", "response"),
    ("prompt", "output"),
    ("prompt", "answer"),
    ("problem", "solution"),
)
CLASSIFIED = ("text", "label")  # a text and its class, which is learned as it is written
ALSO_ASKED = ("input", "context")  # columns that belong to the question, behind it
OTHER_NAMES = {  # of the columns of a form, as some files and tools write them
    "system_prompt": "system",
    "kto_tag": "label",
    "conversation": "conversations",
    "kontext": "context",
    "preferred_output": "chosen",
    "non_preferred_output": "rejected",
    "dialog": "conversations",
    "dialogue": "conversations",
    "turns": "conversations",
    "chat": "conversations",
}
ABOUT_A_TEXT = frozenset({  # columns that may stand beside a text, and say where it is from
    "id", "url", "title", "source", "meta", "metadata", "timestamp", "date", "lang", "language", "author", "license",
    "set", "split", "path", "token_count",
})  # fmt: skip
FORM_HINT = N_(
    "messages ({role, content} turns), prompt + completion, question + answer, instruction + input + output (Alpaca), "
    "conversations ({from, value} turns, ShareGPT), chosen + rejected, or text"
)
READ = frozenset({  # what some form reads, beside its pairs
    "messages", "conversations", "instruction", "input", "output", "context", "system", "history", "prompt",
    "completion", "chosen", "rejected", "label", "text", "tools",
})  # fmt: skip


@lru_cache(maxsize=1024)
def canonical_name(key: str) -> str:
    """Return a column's name as the forms know it, however it is written."""
    name = key.strip().casefold()
    return OTHER_NAMES.get(name, name)


def canonical(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row by the names that the forms know; of two that are the same, the first."""
    named: dict[str, Any] = {}
    for key, value in row.items():
        named.setdefault(canonical_name(key), value)
    return named


def detect_form(keys: Iterable[str]) -> DatasetForm | None:
    """Name the form that a row with these keys has; None when none fits."""
    names = {canonical_name(key) for key in keys}
    if {"chosen", "rejected"} <= names:
        return DatasetForm.preference
    if "messages" in names:
        return DatasetForm.labelled if "label" in names else DatasetForm.messages
    if "conversations" in names:
        return DatasetForm.sharegpt
    if {"instruction", "output"} <= names:
        return DatasetForm.alpaca
    if {"prompt", "completion"} <= names:
        return DatasetForm.labelled if "label" in names else DatasetForm.prompt_completion
    if (pair := _pair(names)) is not None and (pair != CLASSIFIED or names - set(CLASSIFIED) <= ABOUT_A_TEXT):
        return DatasetForm.question_answer
    return DatasetForm.text if "text" in names and names - {"text"} <= ABOUT_A_TEXT else None


def label_beside(row: dict[str, Any]) -> tuple[str, str, str] | None:
    """Return the columns of a question, its answer and a label, where a row has these and nothing else is read."""
    names = {canonical_name(key): key for key in reversed(list(row))}
    pair = ("prompt", "completion") if {"prompt", "completion"} <= names.keys() else _pair(names)
    others = READ - {"label", *(pair or ())}
    if pair is None or "label" in pair or "label" not in names or others & names.keys():
        return None
    return names[pair[0]], names[pair[1]], names["label"]


def stands_aside(key: str) -> bool:
    """Say whether a column may stay beside a question and an answer that a person named: it means nothing else."""
    name = canonical_name(key)
    return name == "context" or not (name in READ or any(name in pair for pair in PAIRS))


def _pair(names: Iterable[str]) -> tuple[str, str] | None:
    """Return which two columns ask and answer."""
    known = set(names)
    return next((pair for pair in (*PAIRS, CLASSIFIED) if known.issuperset(pair)), None)


def to_messages(row: dict[str, Any], form: DatasetForm) -> list[Message]:
    """Turn a row into messages that end with the assistant's, or into one text. Raises RowProblem."""
    named = canonical(row)
    if form is DatasetForm.labelled and named.get("label") is False:
        raise bad_example()
    try:
        messages = _read(named, form)
    except ColumnProblem as problem:
        problem.column = next((key for key in row if canonical_name(key) == problem.column), problem.column)
        raise
    if form is DatasetForm.text:
        return messages
    last = max((place for place, message in enumerate(messages) if message.role == "assistant"), default=-1)
    messages = messages[: last + 1] or messages  # what was said after the last answer has none
    _check_turns(messages)
    return messages


def bad_example() -> BadExample:
    """Return why a row that is labelled as bad is not learned as if it were good."""
    return BadExample(_("is labelled as a bad answer, and only good ones are learned"))


def _read(row: dict[str, Any], form: DatasetForm) -> list[Message]:
    return {
        DatasetForm.messages: _from_messages,
        DatasetForm.sharegpt: _from_sharegpt,
        DatasetForm.alpaca: _from_alpaca,
        DatasetForm.prompt_completion: _from_prompt_completion,
        DatasetForm.question_answer: _from_question_answer,
        DatasetForm.preference: _from_preference,
        DatasetForm.labelled: _from_labelled,
        DatasetForm.text: _from_text,
    }[form](row)


def _from_messages(row: dict[str, Any]) -> list[Message]:
    return _offering(row, _led(list(map(read_turn, _turns(row, "messages"))), row))


def _from_sharegpt(row: dict[str, Any]) -> list[Message]:
    return _offering(row, _led(list(map(read_turn, _turns(row, "conversations"))), row))


def _led(turns: list[Message], row: dict[str, Any]) -> list[Message]:
    """Return the turns of a talk below a system text that stands beside them, unless one of them says it already."""
    beside = _system(row)
    said = {turn.content.strip() for turn in turns if turn.role == "system"}
    return turns if not beside or beside[0].content.strip() in said else [*beside, *turns]


def _offering(row: dict[str, Any], messages: list[Message]) -> list[Message]:
    """Return the turns of a row, the first with the tools that are offered, if any."""
    found = tools.offered(row.get("tools"))
    if found is None:
        raise ColumnProblem(N_("has `{key}` that are no list of tools with a name"), "tools")
    return [replace(messages[0], tools=found), *messages[1:]] if found else messages


def _from_alpaca(row: dict[str, Any]) -> list[Message]:
    question = Message(role="user", content=_question(row, "instruction"))
    return [*_system(row), *_history(row), question, _told(row, _text(row, "output"))]


def _history(row: dict[str, Any]) -> list[Message]:
    """Return the turns before the last, which LLaMA-Factory's Alpaca files keep as pairs."""
    history = row.get("history") or []
    if not isinstance(history, list) or not all(_is_pair(turn) for turn in history):
        raise ColumnProblem(N_("has a `{key}` that is no list of question and answer"), "history")
    return [message for asked, told in history for message in _asked(asked, told)]


def _is_pair(turn: Any) -> bool:
    return isinstance(turn, list) and len(turn) == 2 and all(isinstance(text, str) for text in turn)


def _system(row: dict[str, Any]) -> list[Message]:
    text = row.get("system")
    return [Message(role="system", content=text)] if isinstance(text, str) and text.strip() else []


def _asked(question: str, answer: str) -> list[Message]:
    return [Message(role="user", content=question), Message(role="assistant", content=answer)]


def _question(row: dict[str, Any], key: str) -> str:
    """Return what is asked, with what belongs to it: the text that it is about stands in a column of its own."""
    about = (row.get(name) for name in ALSO_ASKED if name != key)
    return "\n\n".join([_text(row, key), *(text for text in about if isinstance(text, str) and text.strip())])


def _from_prompt_completion(row: dict[str, Any]) -> list[Message]:
    return [*_before(row), *_answer(row, "completion")]


def _from_question_answer(row: dict[str, Any]) -> list[Message]:
    pair = _pair(row)
    assert pair is not None  # or the row would have another form
    question = Message(role="user", content=_question(row, pair[0]))
    told = str(row["label"]).lower() if pair == CLASSIFIED and isinstance(row["label"], bool) else _text(row, pair[1])
    return [*_system(row), *_history(row), question, _told(row, told)]


def _from_preference(row: dict[str, Any]) -> list[Message]:
    """Return the talk with the answer that was preferred; the other one is not learned."""
    turns = _answer(row, "chosen")
    if not any(turn.role == "user" for turn in turns):
        return [*_before(row), *turns]
    led = _before(row) if isinstance(row.get("prompt"), list) else _system(row)
    return [*(turn for turn in led if turn.role == "system"), *turns] if turns[0].role != "system" else turns


def _answer(row: dict[str, Any], key: str) -> list[Message]:
    """Return an answer: a text, a turn, or turns, which may be the whole talk."""
    answer = row.get(key)
    if isinstance(answer, list | dict):
        return [read_turn(turn) for turn in (answer if isinstance(answer, list) else [answer])]
    return [_told(row, _text(row, key))]


def _told(row: dict[str, Any], text: str) -> Message:
    """Return a text as an answer, with its thoughts where the row has some."""
    return thinking(Message(role="assistant", content=text), row)


def _before(row: dict[str, Any]) -> list[Message]:
    """Return what was said before the answer."""
    if "conversations" in row:
        return _from_sharegpt(row)
    if "messages" in row:
        return _from_messages(row)
    if isinstance(row.get("input"), dict):  # OpenAI's preference pairs
        return _from_messages(row["input"])
    if isinstance(row.get("prompt"), list):
        return [read_turn(turn) for turn in row["prompt"]]
    asked = next((name for name in ("prompt", "instruction", "question", "query", "input") if name in row), "prompt")
    return [*_system(row), *_history(row), Message(role="user", content=_question(row, asked))]


def _from_labelled(row: dict[str, Any]) -> list[Message]:
    """Return a talk that was found good (KTO)."""
    if not isinstance(row["label"], bool):
        raise ColumnProblem(N_("has a `{key}` that is neither true nor false"), "label")
    return _from_messages(row) if "messages" in row else _from_prompt_completion(row)


def _from_text(row: dict[str, Any]) -> list[Message]:
    return [Message(role="text", content=_text(row, "text"))]


def _turns(row: dict[str, Any], key: str) -> list[Any]:
    turns = row.get(key)
    if not isinstance(turns, list) or not turns:
        raise ColumnProblem(N_("has no list of turns in `{key}`"), key)
    return turns


def _text(row: dict[str, Any], key: str) -> str:
    value = row.get(key)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value.strip():
        raise NoText(key)
    return value


def _check_turns(messages: list[Message]) -> None:
    if messages[-1].role != "assistant":
        raise RowProblem(_("ends with the {role}'s turn; the last must be the assistant's", role=messages[-1].role))
    if any(not m.said.strip() for m in messages if m.role == "assistant"):
        raise EmptyText(_("has an empty answer"))
    if any(not m.content.strip() for m in messages if m.role == "user"):
        raise EmptyText(_("has an empty question"))
    if not any(m.role == "user" for m in messages):
        raise RowProblem(_("has no user turn"))
    if not any(m.learned for m in messages if m.role == "assistant"):
        raise BadExample(_("has no answer that is to be learned: each has a weight of 0"))
