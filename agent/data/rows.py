"""One row of a dataset as a chat: every known form becomes the same list of messages. Pure."""

from dataclasses import dataclass
from typing import Any, Literal

from shared.inspections import DatasetForm
from shared.language import N_, _

Role = Literal["system", "user", "assistant"]

SHAREGPT_ROLES: dict[str, Role] = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "system": "system",
}
FORM_HINT = N_(
    "messages ({role, content} turns), prompt + completion, instruction + input + output "
    "(Alpaca), or conversations ({from, value} turns, ShareGPT)"
)


class RowProblem(Exception):
    """Why one row cannot be trained on: a sentence without its line number."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """One turn."""

    role: Role
    content: str

    def as_dict(self) -> dict[str, str]:
        """Return what chat templates take."""
        return {"role": self.role, "content": self.content}


def detect_form(keys: set[str]) -> DatasetForm | None:
    """Name the form that a row with these keys has; None when none fits."""
    if "messages" in keys:
        return DatasetForm.messages
    if "conversations" in keys:
        return DatasetForm.sharegpt
    if {"instruction", "output"} <= keys:
        return DatasetForm.alpaca
    if {"prompt", "completion"} <= keys:
        return DatasetForm.prompt_completion
    return None


def to_messages(row: dict[str, Any], form: DatasetForm) -> list[Message]:
    """Turn a row into messages that end with the assistant's. Raises RowProblem."""
    messages = {
        DatasetForm.messages: _from_messages,
        DatasetForm.sharegpt: _from_sharegpt,
        DatasetForm.alpaca: _from_alpaca,
        DatasetForm.prompt_completion: _from_prompt_completion,
    }[form](row)
    _check_turns(messages)
    return messages


def _from_messages(row: dict[str, Any]) -> list[Message]:
    return [
        _turn(turn, "role", "content", {"system": "system", "user": "user", "assistant": "assistant"})
        for turn in _turns(row, "messages")
    ]


def _from_sharegpt(row: dict[str, Any]) -> list[Message]:
    messages = [_turn(turn, "from", "value", SHAREGPT_ROLES) for turn in _turns(row, "conversations")]
    if isinstance(row.get("system"), str) and row["system"].strip():
        messages.insert(0, Message(role="system", content=row["system"]))
    return messages


def _from_alpaca(row: dict[str, Any]) -> list[Message]:
    question = _text(row, "instruction")
    extra = row.get("input")
    if isinstance(extra, str) and extra.strip():
        question = f"{question}\n\n{extra}"
    messages = [Message(role="user", content=question), Message(role="assistant", content=_text(row, "output"))]
    if isinstance(row.get("system"), str) and row["system"].strip():
        messages.insert(0, Message(role="system", content=row["system"]))
    return messages


def _from_prompt_completion(row: dict[str, Any]) -> list[Message]:
    return [
        Message(role="user", content=_text(row, "prompt")),
        Message(role="assistant", content=_text(row, "completion")),
    ]


def _turns(row: dict[str, Any], key: str) -> list[Any]:
    turns = row.get(key)
    if not isinstance(turns, list) or not turns:
        raise RowProblem(_("has no list of turns in `{key}`", key=key))
    return turns


def _turn(turn: Any, role_key: str, text_key: str, roles: dict[str, Role]) -> Message:
    if not isinstance(turn, dict):
        raise RowProblem(_("has a turn that is not an object"))
    role = turn.get(role_key)
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
    if not isinstance(content, str):
        raise RowProblem(_("has a turn without text in `{text_key}`", text_key=text_key))
    return Message(role=roles[role], content=content)


def _text(row: dict[str, Any], key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value.strip():
        raise RowProblem(_("has no text in `{key}`", key=key))
    return value


def _check_turns(messages: list[Message]) -> None:
    if messages[-1].role != "assistant":
        raise RowProblem(_("ends with the {role}'s turn; the last must be the assistant's", role=messages[-1].role))
    if any(not m.content.strip() for m in messages if m.role == "assistant"):
        raise RowProblem(_("has an empty answer"))
    if any(not m.content.strip() for m in messages if m.role == "user"):
        raise RowProblem(_("has an empty question"))
    if not any(m.role == "user" for m in messages):
        raise RowProblem(_("has no user turn"))
