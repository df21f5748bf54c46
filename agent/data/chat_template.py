"""The model's own chat template, rendered in a sandbox, with the trained part marked. No ML library.

The same functions read a dataset for the card and for the trainer, so that both see the same tokens.
"""

import datetime
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import Tokenizer

from agent.base_models.card import BaseModelCard
from agent.data.rows import Message, RowProblem
from shared.language import _

IGNORED = -100  # the label of a token that is not trained on


@dataclass(frozen=True, kw_only=True)
class TokenizedRow:
    """One row as the model sees it. `labels` equal `input_ids` where trained, else -100."""

    input_ids: list[int]
    labels: list[int]

    @property
    def trained(self) -> int:
        """Return the number of tokens the loss sees."""
        return sum(label != IGNORED for label in self.labels)


class ChatTemplate:
    """Renders messages as one base model expects them."""

    def __init__(self, card: BaseModelCard) -> None:
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
        )
        environment.filters["tojson"] = _to_json
        environment.globals["raise_exception"] = _raise
        environment.globals["strftime_now"] = _strftime_now
        self._template = environment.from_string(card.chat_template)
        self._tokens = _special_tokens(Path(card.folder))
        self._eos_tokens = card.eos_tokens
        self._tokenizer = Tokenizer.from_file(str(Path(card.folder) / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    def render(self, messages: list[Message], *, add_generation_prompt: bool = False) -> str:
        """Return the text of a conversation. Raises RowProblem when the template refuses it."""
        try:
            return self._template.render(
                messages=[message.as_dict() for message in messages],
                add_generation_prompt=add_generation_prompt,
                **self._tokens,
            )
        except Exception as error:  # a template is a program of its publisher and may fail in any way
            raise RowProblem(_("is refused by the model's chat template: {error}", error=str(error)[:120])) from error

    def parts(self, messages: list[Message]) -> list[tuple[str, bool]]:
        """Split a rendered conversation into (text, trained): each answer with its end-of-turn token is trained.

        A template that rewrites earlier turns (some drop old reasoning) is trained on the last answer only.
        """
        full = self.render(messages)
        answers = [i for i, message in enumerate(messages) if message.role == "assistant"]
        spans = [span for i in answers if (span := self._answer_span(messages, i, full))]
        if not spans or len(spans) < len(answers):
            spans = spans[-1:] if spans and spans[-1][1] > len(full) - len(messages[-1].content) - 200 else []
        if not spans:
            raise RowProblem(_("cannot be marked: the model's chat template hides where the answer begins"))
        parts, at = [], 0
        for start, end in spans:
            parts += [(full[at:start], False), (full[start:end], True)]
            at = end
        return [part for part in [*parts, (full[at:], False)] if part[0]]

    def _answer_span(self, messages: list[Message], index: int, full: str) -> tuple[int, int] | None:
        prompt = self.render(messages[:index], add_generation_prompt=True)
        answered = self.render(messages[: index + 1])
        if not answered.startswith(prompt) or not full.startswith(answered.rstrip()):
            return None
        answer = answered[len(prompt) :]
        ends = [answer.rfind(token) + len(token) for token in self._eos_tokens if token in answer]
        if not ends:
            raise RowProblem(_("has no end-of-turn token after its answer, so the model would never learn to stop"))
        return len(prompt), len(prompt) + max(ends)

    def tokenize(self, messages: list[Message], *, max_length: int | None = None) -> TokenizedRow:
        """Return ids and labels of one conversation, cut at `max_length` tokens. Raises RowProblem."""
        parts = self.parts(messages)
        encoding = self._tokenizer.encode("".join(text for text, _ in parts), add_special_tokens=False)
        spans, at = [], 0
        for text, trained in parts:
            if trained:
                spans.append((at, at + len(text)))
            at += len(text)
        labels = [
            token if any(start <= left and right <= end for start, end in spans) and right > left else IGNORED
            for token, (left, right) in zip(encoding.ids, encoding.offsets, strict=True)
        ]
        return TokenizedRow(input_ids=encoding.ids[:max_length], labels=labels[:max_length])

    def tokenize_prompt(self, messages: list[Message]) -> list[int]:
        """Return the ids of a conversation that waits for the assistant."""
        ids: list[int] = self._tokenizer.encode(
            self.render(messages, add_generation_prompt=True), add_special_tokens=False
        ).ids
        return ids

    def token_ids(self, tokens: list[str]) -> set[int]:
        """Return the ids of whole tokens."""
        return {number for token in tokens if (number := self._tokenizer.token_to_id(token)) is not None}


def _special_tokens(folder: Path) -> dict[str, str]:
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    tokens = {}
    for name in ("bos_token", "eos_token", "pad_token", "unk_token"):
        value = config.get(name)
        tokens[name] = value.get("content", "") if isinstance(value, dict) else value or ""
    return tokens


def _to_json(value: Any, ensure_ascii: bool = False, indent: int | None = None) -> str:
    # Jinja's own tojson escapes HTML characters, which the training text must not contain.
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent)


def _raise(message: str) -> NoReturn:
    raise TemplateError(message)


def _strftime_now(pattern: str) -> str:
    return datetime.datetime.now(tz=datetime.UTC).strftime(pattern)
