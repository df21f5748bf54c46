"""One row of a dataset as a chat: every known form becomes the same list of messages. Pure."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Literal

from agent.data import tools
from shared.inspections import DatasetForm
from shared.language import N_, _

Role = Literal["system", "user", "assistant", "tool", "text"]  # of text nobody is the speaker: it is learned whole

CHAT_ROLES: dict[str, Role] = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant",
                               "tool": "tool", "function": "tool"}  # fmt: skip
SHAREGPT_ROLES: dict[str, Role] = {  # as their names are written in small letters
    **CHAT_ROLES,
    "human": "user",
    "prompter": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "function_call": "assistant",
    "observation": "tool",
}
PAIRS = (  # two columns, what is asked and what is answered; the first that a row has counts
    ("question", "answer"),
    ("query", "response"),
    ("instruction", "response"),
    ("input", "output"),
    ("input", "response"),
    ("question", "response"),
    ("user", "assistant"),
    ("q", "a"),
)
ABOUT_A_TEXT = frozenset({  # columns that may stand beside a text, and say where it is from
    "id", "url", "title", "source", "meta", "metadata", "timestamp", "date", "lang", "language", "author", "license",
    "set", "split", "path", "token_count",
})  # fmt: skip
FORM_HINT = N_(
    "messages ({role, content} turns), prompt + completion, question + answer, instruction + input + output (Alpaca), "
    "conversations ({from, value} turns, ShareGPT), chosen + rejected, or text"
)


class RowProblem(Exception):
    """Why one row cannot be trained on: a sentence without its line number."""


class EmptyText(RowProblem):
    """A row without a question or an answer."""


class BadExample(RowProblem):
    """A row that its owner labelled as bad."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """One turn."""

    role: Role
    content: str
    calls: str = ""  # JSON: the tools that this turn calls
    tools: str = ""  # JSON, of the first turn alone: the tools that are offered

    def as_dict(self) -> dict[str, str]:
        """Return what chat templates take; of the tools, nothing."""
        return {"role": self.role, "content": self.content}

    @property
    def said(self) -> str:
        """Return all that stands in this turn."""
        return f"{self.content}\n{self.calls}".strip("\n") if self.calls else self.content


def detect_form(keys: set[str]) -> DatasetForm | None:
    """Name the form that a row with these keys has; None when none fits."""
    if "chosen" in keys and "rejected" in keys:
        return DatasetForm.preference
    if "messages" in keys:
        return DatasetForm.labelled if "label" in keys else DatasetForm.messages
    if "conversations" in keys:
        return DatasetForm.sharegpt
    if {"instruction", "output"} <= keys:
        return DatasetForm.alpaca
    if {"prompt", "completion"} <= keys:
        return DatasetForm.labelled if "label" in keys else DatasetForm.prompt_completion
    if _pair(keys) is not None:
        return DatasetForm.question_answer
    return DatasetForm.text if "text" in keys and keys - {"text"} <= ABOUT_A_TEXT else None


def _pair(keys: Collection[str]) -> tuple[str, str] | None:
    """Return which two columns ask and answer, however their names are written."""
    named = {key.strip().lower(): key for key in keys}
    return next(((named[asked], named[told]) for asked, told in PAIRS if asked in named and told in named), None)


def to_messages(row: dict[str, Any], form: DatasetForm) -> list[Message]:
    """Turn a row into messages that end with the assistant's, or into one text. Raises RowProblem."""
    messages = {
        DatasetForm.messages: _from_messages,
        DatasetForm.sharegpt: _from_sharegpt,
        DatasetForm.alpaca: _from_alpaca,
        DatasetForm.prompt_completion: _from_prompt_completion,
        DatasetForm.question_answer: _from_question_answer,
        DatasetForm.preference: _from_preference,
        DatasetForm.labelled: _from_labelled,
        DatasetForm.text: _from_text,
    }[form](row)
    if form is not DatasetForm.text:
        _check_turns(messages)
    return messages


def _from_messages(row: dict[str, Any]) -> list[Message]:
    return _offering(row, [_turn(turn, "role", "content", CHAT_ROLES) for turn in _turns(row, "messages")])


def _from_sharegpt(row: dict[str, Any]) -> list[Message]:
    return _offering(row, [*_system(row), *map(_sharegpt_turn, _turns(row, "conversations"))])


def _offering(row: dict[str, Any], messages: list[Message]) -> list[Message]:
    """Return the turns of a row, the first with the tools that are offered, if any."""
    found = tools.offered(row.get("tools"))
    if found is None:
        raise RowProblem(_("has `tools` that are no list of tools with a name"))
    return [replace(messages[0], tools=found), *messages[1:]] if found else messages


def _sharegpt_turn(turn: Any) -> Message:
    """Read a turn of from and value, or, as some files have it, of role and content."""
    if isinstance(turn, dict) and "role" in turn and "from" not in turn:
        return _turn(turn, "role", "content", SHAREGPT_ROLES)
    return _turn(turn, "from", "value", SHAREGPT_ROLES)


def _from_alpaca(row: dict[str, Any]) -> list[Message]:
    question = _text(row, "instruction")
    extra = row.get("input")
    if isinstance(extra, str) and extra.strip():
        question = f"{question}\n\n{extra}"
    return [*_system(row), *_history(row), *_asked(question, _text(row, "output"))]


def _history(row: dict[str, Any]) -> list[Message]:
    """Return the turns before the last, which LLaMA-Factory's Alpaca files keep as pairs."""
    history = row.get("history") or []
    if not isinstance(history, list) or not all(_is_pair(turn) for turn in history):
        raise RowProblem(_("has a `history` that is no list of question and answer"))
    return [message for asked, told in history for message in _asked(asked, told)]


def _is_pair(turn: Any) -> bool:
    return isinstance(turn, list) and len(turn) == 2 and all(isinstance(text, str) for text in turn)


def _system(row: dict[str, Any]) -> list[Message]:
    text = row.get("system")
    return [Message(role="system", content=text)] if isinstance(text, str) and text.strip() else []


def _asked(question: str, answer: str) -> list[Message]:
    return [Message(role="user", content=question), Message(role="assistant", content=answer)]


def _from_prompt_completion(row: dict[str, Any]) -> list[Message]:
    return [*_before(row), *_answer(row, "completion")]


def _from_question_answer(row: dict[str, Any]) -> list[Message]:
    pair = _pair(row)
    assert pair is not None  # or the row would have another form
    return [*_system(row), *_asked(_text(row, pair[0]), _text(row, pair[1]))]


def _from_preference(row: dict[str, Any]) -> list[Message]:
    """Return the talk with the answer that was preferred; the other one is not learned."""
    turns = _answer(row, "chosen")
    return turns if any(turn.role == "user" for turn in turns) else [*_before(row), *turns]


def _answer(row: dict[str, Any], key: str) -> list[Message]:
    """Return an answer: a text, a turn, or turns, which may be the whole talk."""
    answer = row.get(key)
    if isinstance(answer, list | dict):
        return [_sharegpt_turn(turn) for turn in (answer if isinstance(answer, list) else [answer])]
    return [Message(role="assistant", content=_text(row, key))]


def _before(row: dict[str, Any]) -> list[Message]:
    """Return what was said before the answer."""
    if "conversations" in row:
        return _from_sharegpt(row)
    if "messages" in row:
        return _from_messages(row)
    if isinstance(row.get("prompt"), list):
        return [_sharegpt_turn(turn) for turn in row["prompt"]]
    return [*_system(row), Message(role="user", content=_text(row, "prompt" if "prompt" in row else "instruction"))]


def _from_labelled(row: dict[str, Any]) -> list[Message]:
    """Return a talk that was found good (KTO); what was found bad must not be learned."""
    if not isinstance(row["label"], bool):
        raise RowProblem(_("has a `label` that is neither true nor false"))
    if not row["label"]:
        raise BadExample(_("is labelled as a bad answer, and only good ones are learned"))
    return _from_messages(row) if "messages" in row else _from_prompt_completion(row)


def _from_text(row: dict[str, Any]) -> list[Message]:
    return [Message(role="text", content=_text(row, "text"))]


def _turns(row: dict[str, Any], key: str) -> list[Any]:
    turns = row.get(key)
    if not isinstance(turns, list) or not turns:
        raise RowProblem(_("has no list of turns in `{key}`", key=key))
    return turns


def _turn(turn: Any, role_key: str, text_key: str, roles: dict[str, Role]) -> Message:
    if not isinstance(turn, dict):
        raise RowProblem(_("has a turn that is not an object"))
    role = turn.get(role_key)
    role = role.lower() if isinstance(role, str) else role
    if not isinstance(role, str) or role not in roles:
        raise RowProblem(
            _(
                "has a turn with the {role_key} {role!r}; known are {roles}",
                role_key=role_key,
                role=str(role)[:40],
                roles=", ".join(roles),
            )
        )
    content = turn.get(text_key)
    calls = tools.called(content if role == "function_call" else turn.get("tool_calls"))
    if calls is None:
        raise RowProblem(_("has a turn that calls no tool with a name and arguments"))
    if not isinstance(content, str) and not (calls and content is None):
        raise RowProblem(_("has a turn without text in `{text_key}`", text_key=text_key))
    return Message(role=roles[role], content="" if role == "function_call" else content or "", calls=calls)


def _text(row: dict[str, Any], key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value.strip():
        raise EmptyText(_("has no text in `{key}`", key=key))
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
