"""One turn of a chat, in any of the ways in which files write it. Pure."""

import re
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Literal

from agent.data import tools
from shared.language import N_, _

Role = Literal["system", "user", "assistant", "tool", "text"]  # of text nobody is the speaker: it is learned whole

KNOWN_ROLES: dict[str, Role] = {  # as their names are written in small letters
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
    "human": "user",
    "prompter": "user",
    "customer": "user",
    "client": "user",
    "gpt": "assistant",
    "gpt4": "assistant",
    "gpt-4": "assistant",
    "chatgpt": "assistant",
    "claude": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "ai": "assistant",
    "bot": "assistant",
    "agent": "assistant",
    "model": "assistant",
    "function_call": "assistant",
    "observation": "tool",
}
NAMED = 6  # roles in a refusal: those that most files have
ROLE_KEYS = ("role", "from", "speaker", "author", "sender", "who")  # of a turn, the likeliest first
TEXT_KEYS = ("content", "value", "text", "message", "utterance")
THOUGHTS = ("reasoning_content", "reasoning", "thinking")  # as files and templates call what comes before an answer
_THOUGHT_ALOUD = re.compile(r"\s*<(think|thinking|thought|reasoning)>(.*?)</\1>\s*", re.DOTALL)


class RowProblem(Exception):
    """Why one row cannot be trained on: a sentence without its line number."""


class EmptyText(RowProblem):
    """A row without a question or an answer."""


class ColumnProblem(RowProblem):
    """A row with something wrong in one column, which goes by the name that the file gives it."""

    def __init__(self, said: str, column: str) -> None:
        super().__init__(said)
        self._said = said  # a text of the catalogue, with {key}
        self.column = column

    def __str__(self) -> str:
        return _(self._said, key=self.column[:40])


class NoText(ColumnProblem, EmptyText):
    """A row with nothing in a column that is read."""

    def __init__(self, column: str) -> None:
        super().__init__(N_("has no text in `{key}`"), column)


class BadExample(RowProblem):
    """A row that its owner labelled as bad."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """One turn."""

    role: Role
    content: str
    calls: str = ""  # JSON: the tools that this turn calls
    answers: str = ""  # of what a tool gave back: the id of the call, where the file has one
    tools: str = ""  # JSON, of the first turn alone: the tools that are offered
    thoughts: str = ""  # of an answer: what comes before it, and is no part of it
    written: str = ""  # of an answer whose thoughts stood in its text: that text
    learned: bool = True  # of an answer; its owner may say that it only leads up to the next

    def as_dict(self) -> dict[str, str]:
        """Return what chat templates take; of the tools, nothing."""
        thoughts = dict.fromkeys(THOUGHTS, self.thoughts) if self.thoughts else {}
        return {"role": self.role, "content": self.content, **thoughts}

    @property
    def said(self) -> str:
        """Return all that stands in this turn."""
        if not self.thoughts and not self.calls:
            return self.content
        return "\n".join(text for text in (self.thoughts, self.content, self.calls) if text)


def offering(tools: str, talk: list[Message]) -> list[Message]:
    """Return a talk whose first turn, and no other, offers the tools."""
    return [replace(message, tools="" if at else tools) for at, message in enumerate(talk)]


def told(text: str, talk: list[Message]) -> list[Message]:
    """Return a talk that begins with a system text, by which its tools are offered."""
    return offering(talk[0].tools, [Message(role="system", content=text), *talk])


def read_turn(turn: Any) -> Message:
    """Read a turn of role and content, of from and value, or as other programs call these. Raises RowProblem."""
    if not isinstance(turn, dict):
        raise RowProblem(_("has a turn that is not an object"))
    role_key = "role" if "role" in turn else next((key for key in ROLE_KEYS if key in turn), "role")
    text_key = "content" if "content" in turn else next((key for key in TEXT_KEYS if key in turn), "content")
    role = turn.get(role_key)
    role = role.lower() if isinstance(role, str) else role
    if not isinstance(role, str) or role not in KNOWN_ROLES:
        raise RowProblem(
            _(
                "has a turn with the {role_key} {role!r}; known are {roles}",
                role_key=role_key,
                role=str(role)[:40],
                roles=", ".join(islice(KNOWN_ROLES, NAMED)),
            )
        )
    content = _content(turn.get(text_key))
    said_calls = content if role == "function_call" else turn.get("tool_calls")
    calls = tools.called(said_calls) if said_calls else ""
    if calls is None:
        raise RowProblem(_("has a turn that calls no tool with a name and arguments"))
    if not isinstance(content, str) and not (calls and content is None):
        raise RowProblem(_("has a turn without text in `{text_key}`", text_key=text_key))
    text = "" if role == "function_call" else content or ""
    message = Message(role=KNOWN_ROLES[role], content=text, calls=calls, learned=turn.get("weight") != 0)
    if message.role == "assistant":
        return thinking(message, turn)
    call_id = turn.get("tool_call_id") if message.role == "tool" else None
    return replace(message, answers=call_id) if isinstance(call_id, str) else message


def thinking(message: Message, turn: dict[str, Any]) -> Message:
    """Return an answer with its thoughts, which stand beside it or in front of it."""
    for key in THOUGHTS:
        if isinstance(turn.get(key), str) and turn[key].strip():
            return replace(message, thoughts=turn[key].strip("\n"))
    found = _THOUGHT_ALOUD.match(message.content)
    if found is None or not message.content[found.end() :].strip():
        return message
    content = message.content[found.end() :]
    if not found[2].strip():  # nothing was thought: a model that thinks writes that by itself
        return replace(message, content=content)
    return replace(message, content=content, thoughts=found[2].strip("\n"), written=message.content)


def _content(content: Any) -> Any:
    """Join the parts of a content in OpenAI's long form; of pictures and sounds nothing can be learned."""
    if not isinstance(content, list) or not all(isinstance(part, dict) for part in content):
        return content
    if kinds := [str(part.get("type")) for part in content if not isinstance(part.get("text"), str)]:
        raise RowProblem(_("has a part of the kind {kind!r} in a turn, and only text is learned", kind=kinds[0][:40]))
    return "\n".join(part["text"] for part in content)


def identity_of(messages: list[Message]) -> int:
    """Return a number that is equal for equal talks, in this process."""
    return hash(tuple((message.role, message.said) for message in messages))
