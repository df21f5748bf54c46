"""The model's own chat template, rendered in a sandbox, with the trained part marked. No ML library.

The same functions read a dataset for the card and for the trainer, so that both see the same tokens.
"""

import datetime
import json
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property, lru_cache
from operator import itemgetter
from pathlib import Path
from typing import Any, NoReturn

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import Encoding, Tokenizer

from agent.base_models.card import BaseModelCard
from agent.data import tools
from agent.data.answers import find_answers
from agent.data.turns import Message, RowProblem
from shared.language import _, grouped

IGNORED = -100  # the label of a token that is not trained on
FEW_ANSWERS = 8  # in a row, for each to be marked by rendering what comes before it
MOST_ANSWERS = 128  # that are marked so, of a template by which they cannot be found in the whole text


@dataclass(frozen=True, kw_only=True)
class TokenizedRow:
    """One row as the model sees it. `labels` equal `input_ids` where trained, else -100."""

    input_ids: list[int]
    labels: list[int]

    @property
    def trained(self) -> int:
        """Return the number of tokens the loss sees."""
        return len(self.labels) - self.labels.count(IGNORED)


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
        self._name = card.name
        self.context_length = card.context_length
        self._tokenizer = _tokenizer(Path(card.folder) / "tokenizer.json")

    def render(self, messages: list[Message], *, add_generation_prompt: bool = False) -> str:
        """Return the text of a conversation. Raises RowProblem when the template refuses it."""
        try:
            offered = messages[0].tools if messages else ""
            return self._template.render(
                messages=[_turn(message) for message in messages],
                tools=json.loads(offered) if offered else None,
                add_generation_prompt=add_generation_prompt,
                **self._tokens,
            )
        except Exception as error:  # a template is a program of its publisher and may fail in any way
            raise RowProblem(_("is refused by the model's chat template: {error}", error=str(error)[:120])) from error

    def parts(self, messages: list[Message]) -> list[tuple[str, bool]]:
        """Split a rendered conversation into (text, trained): each answer with its end-of-turn token is trained.

        A template that rewrites earlier turns (some drop old reasoning) is trained on the last answer only. A text that
        is nobody's turn is trained on as a whole, without a template.
        """
        if messages[0].role == "text":
            return [(messages[0].content, True)]
        if any(message.calls or message.role == "tool" for message in messages) and not self.shows_calls:
            raise RowProblem(
                _(
                    "calls a tool, which the chat template of {name} does not show; those of Qwen2.5 and Llama 3.1 do",
                    name=self._name,
                )
            )
        full = self.render(messages)
        answers = [i for i, message in enumerate(messages) if message.role == "assistant"]
        spans = self._answer_spans(messages, answers, full)
        if not spans or len(spans) < len(answers):
            spans = spans[-1:] if spans and spans[-1][1] > len(full) - len(messages[-1].content) - 200 else []
        if not spans:
            raise RowProblem(_("cannot be marked: the model's chat template hides where the answer begins"))
        parts, at = [], 0
        for (start, end), answer in zip(spans, answers[-len(spans) :], strict=True):
            parts += [(full[at:start], False), (full[start:end], messages[answer].learned)]
            at = end
        return [part for part in [*parts, (full[at:], False)] if part[0]]

    def _answer_spans(self, messages: list[Message], answers: list[int], full: str) -> list[tuple[int, int]]:
        """Return where in `full` the answers stand, as far as that can be told, each with its end-of-turn token.

        To render a talk twice for each answer takes time by its square, so in longer ones they are looked for in order.
        """
        if len(answers) > FEW_ANSWERS:
            opening = self._opening(messages[: answers[0]])
            found = find_answers(full, opening, [messages[i].content for i in answers], self._eos_tokens)
            ends = ((found[at], self._answer_span(messages, answers[at], full)) for at in (0, -1)) if found else ()
            if found and all(span == exact for span, exact in ends):
                return found
        if len(answers) > MOST_ANSWERS:
            raise RowProblem(
                _(
                    "has {count} answers; in a talk of more than {most} the chat template of {name} hides where they "
                    "begin, so split it",
                    count=grouped(len(answers)),
                    most=MOST_ANSWERS,
                    name=self._name,
                )
            )
        return [span for i in answers if (span := self._answer_span(messages, i, full))]

    def _opening(self, before: list[Message]) -> str:
        """Return what the template writes in front of an answer, by what it writes in front of the first."""
        asked, prompt = self.render(before), self.render(before, add_generation_prompt=True)
        said = before[-1].content.strip() if before else ""
        return prompt.removeprefix(asked) or prompt[prompt.rfind(said) + len(said) :]

    def _answer_span(self, messages: list[Message], index: int, full: str) -> tuple[int, int] | None:
        prompt = self.render(messages[:index], add_generation_prompt=True)
        answered = full if index == len(messages) - 1 else self.render(messages[: index + 1])
        if not answered.startswith(prompt) or not full.startswith(answered.rstrip()):
            return None
        answer = answered[len(prompt) :]
        ends = [answer.rfind(token) + len(token) for token in self._eos_tokens if token in answer]
        if not ends:
            raise RowProblem(_("has no end-of-turn token after its answer, so the model would never learn to stop"))
        return len(prompt), len(prompt) + max(ends)

    def tokenize(self, messages: list[Message], *, max_length: int | None = None) -> TokenizedRow:
        """Return ids and labels of one conversation, cut at `max_length` tokens. Raises RowProblem."""
        (row,) = self.tokenize_all([messages])
        if isinstance(row, RowProblem):
            raise row
        return TokenizedRow(input_ids=row.input_ids[:max_length], labels=row.labels[:max_length])

    def tokenize_all(self, conversations: list[list[Message]]) -> list[TokenizedRow | RowProblem]:
        """Return ids and labels of each conversation, or why it has none. A batch is faster than one by one."""
        rendered = [self._parts_or_problem(messages) for messages in conversations]
        texts = ["".join(text for text, _ in parts) for parts in rendered if not isinstance(parts, RowProblem)]
        encodings = iter(self._tokenizer.encode_batch(texts, add_special_tokens=False))
        return [parts if isinstance(parts, RowProblem) else _labelled(next(encodings), parts) for parts in rendered]

    def _parts_or_problem(self, messages: list[Message]) -> list[tuple[str, bool]] | RowProblem:
        try:
            return self.parts(messages)
        except RowProblem as problem:
            return problem

    @cached_property
    def shows_tools(self) -> bool:
        """Whether the model sees which tools it is offered."""
        return tools.NAME in self._probe(Message(role="user", content="?", tools=json.dumps(tools.PROBE_TOOLS)))

    @cached_property
    def shows_calls(self) -> bool:
        """Whether the model sees which tool was called, and what it gave back."""
        shown = self._probe(
            Message(role="user", content="?"),
            Message(role="assistant", content="", calls=json.dumps(tools.PROBE_CALLS)),
            Message(role="tool", content=tools.RESULT),
            Message(role="assistant", content="!"),
        )
        return tools.NAME in shown and tools.RESULT in shown

    def _probe(self, *messages: Message) -> str:
        try:
            return self.render(list(messages))
        except RowProblem:
            return ""

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Return where each token of a text begins and ends, in characters."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).offsets)

    def tokenize_prompt(self, messages: list[Message]) -> list[int]:
        """Return the ids of a conversation that waits for the assistant."""
        ids: list[int] = self._tokenizer.encode(
            self.render(messages, add_generation_prompt=True), add_special_tokens=False
        ).ids
        return ids

    @property
    def special_tokens(self) -> list[str]:
        """Return what the tokenizer reads as one token with a meaning of its own, such as <|im_end|>."""
        return [token.content for token in self._tokenizer.get_added_tokens_decoder().values() if token.special]

    def token_ids(self, tokens: list[str]) -> set[int]:
        """Return the ids of whole tokens."""
        return {number for token in tokens if (number := self._tokenizer.token_to_id(token)) is not None}


@lru_cache(maxsize=2)  # half a second to load, and every stage of a job asks for it
def _tokenizer(path: Path) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _turn(message: Message) -> dict[str, Any]:
    """Return a turn as templates take it. Some templates ask whether there are calls, others whether there is a key."""
    return {**message.as_dict(), "tool_calls": json.loads(message.calls)} if message.calls else dict(message.as_dict())


def _labelled(encoding: Encoding, parts: list[tuple[str, bool]]) -> TokenizedRow:
    """Return ids, and as labels those that lie wholly in a trained part."""
    ids, offsets = encoding.ids, encoding.offsets
    labels = [IGNORED] * len(ids)
    number, start = 0, 0
    for text, trained in parts:
        end = start + len(text)
        stop = bisect_right(offsets, end, lo=number, key=itemgetter(1))  # ends never fall: no special token is added
        if trained:
            labels[number:stop] = [
                token if start <= left < right else IGNORED
                for token, (left, right) in zip(ids[number:stop], offsets[number:stop], strict=True)
            ]
        number, start = stop, end
    return TokenizedRow(input_ids=ids, labels=labels)


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
