"""The model's own chat template, rendered with the trained part marked. No ML library.

The same functions read a dataset for the card and for the trainer, so that both see the same tokens.
"""

import json
from bisect import bisect_right
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from operator import itemgetter
from pathlib import Path
from typing import Any

from tokenizers import Encoding, Tokenizer

from agent.base_models.card import BaseModelCard
from agent.data import tools
from agent.data.answers import ended, find_answers
from agent.data.fitting import examples, fit, learned_answers
from agent.data.jinja import compile_template
from agent.data.template_habits import CALL, CLOSE, OPEN, RESULT, Habits, find_habits, shows_texts
from agent.data.turns import Message, RowProblem
from shared.language import _, grouped

IGNORED = -100  # the label of a token that is not trained on
FEW_ANSWERS = 4  # in a row, for each to be marked by rendering what comes before it
MOST_ANSWERS = 128  # that are marked so, of a template by which they cannot be found in the whole text


@dataclass(frozen=True, kw_only=True)
class TokenizedRow:
    """One row as the model sees it. `labels` equal `input_ids` where trained, else -100."""

    input_ids: list[int]
    labels: list[int]
    missed: int = 0  # answers that could not be told from the rest, so they are not learned

    @property
    def trained(self) -> int:
        """Return the number of tokens the loss sees."""
        return len(self.labels) - self.labels.count(IGNORED)


class ChatTemplate:
    """Renders messages as one base model expects them."""

    def __init__(self, card: BaseModelCard) -> None:
        self._template = compile_template(card.chat_template)
        self._tokens = _special_tokens(Path(card.folder))
        self._eos_tokens = card.eos_tokens
        self._name = card.name
        self._in_pieces = False  # whether the template takes a content as a list of pieces alone
        self._in_pieces = not shows_texts(self.render)
        self.context_length = card.context_length
        self._tokenizer = _tokenizer(Path(card.folder) / "tokenizer.json")

    def render(self, messages: list[Message], *, add_generation_prompt: bool = False, thinking: bool = False) -> str:
        """Return the text of a conversation, with or without thoughts. Raises RowProblem where that is refused."""
        try:
            offered = messages[0].tools if messages else ""
            return self._template.render(
                messages=_turns(messages, in_pieces=self._in_pieces),
                tools=json.loads(offered) if offered else None,
                add_generation_prompt=add_generation_prompt,
                enable_thinking=thinking,
                thinking=thinking,
                **self._tokens,
            )
        except Exception as error:  # a template is a program of its publisher and may fail in any way
            raise RowProblem(_("is refused by the model's chat template: {error}", error=str(error)[:120])) from error

    @cached_property
    def habits(self) -> Habits:
        """What the template does with a talk."""
        return find_habits(self.render, self._eos_tokens, in_pieces=self._in_pieces)

    def examples(self, messages: list[Message]) -> list[list[Message]]:
        """Return a talk as the template can say it, once, or once for each answer; the whole of it first."""
        if messages[0].role == "text":
            return [messages]
        return list(examples(fit(messages, self.habits), self.habits))

    def prompt(self, messages: list[Message], *, thinking: bool = False) -> str:
        """Return the text of a conversation that waits for the assistant."""
        return self.render(messages, add_generation_prompt=True, thinking=thinking)

    def parts(self, messages: list[Message]) -> list[tuple[str, bool]]:
        """Split a talk of `examples` into (text, trained): each learned answer with its end-of-turn token is trained.

        A text that is nobody's turn is trained on as a whole, without a template. Raises RowProblem.
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
        answers = [at for at, each in enumerate(messages) if each.role == "assistant" and each.learned]
        full, spans = self._marked(messages, answers)
        if not spans:
            raise _hidden()
        parts, at = list[tuple[str, bool]](), 0
        for start, end in spans:
            parts += [(full[at:start], False), (full[start:end], True)]
            at = end
        return [part for part in [*parts, (full[at:], False)] if part[0]]

    def _marked(self, messages: list[Message], answers: list[int]) -> tuple[str, list[tuple[int, int]]]:
        """Return a talk's text, and where the answers stand in it, each with its end-of-turn token.

        To render a talk twice for each answer takes time by its square, so in longer ones they are looked for in order.
        """
        if len(answers) == 1 and answers[0] == len(messages) - 1:
            prompt, said, told = self._asked_and_told(messages)
            return told if told.startswith(prompt + said) else prompt + said, [(len(prompt), len(prompt + said))]
        full = self.render(messages, thinking=any(messages[at].thoughts for at in answers))
        if len(answers) > FEW_ANSWERS:
            opening = self._opening(messages[: answers[0] or answers[1]])  # before a greeting stands nothing
            found = find_answers(full, opening, [messages[i].content for i in answers], self._eos_tokens)
            ends = ((found[at], self._answer_span(messages, answers[at], full)) for at in (0, -1)) if found else ()
            if found and all(span == exact for span, exact in ends):
                return full, found
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
        return full, [span for i in answers if (span := self._answer_span(messages, i, full))]

    def _opening(self, before: list[Message]) -> str:
        """Return what the template writes in front of an answer, by what it writes in front of the first."""
        asked, prompt = self.render(before), self.render(before, add_generation_prompt=True)
        said = before[-1].content.strip()
        return prompt.removeprefix(asked) or prompt[prompt.rfind(said) + len(said) :]

    def _answer_span(self, messages: list[Message], index: int, full: str) -> tuple[int, int] | None:
        try:
            prompt, said, _told = self._asked_and_told(messages[: index + 1])
        except RowProblem:
            return None
        return (len(prompt), len(prompt + said)) if full.startswith(prompt + said) else None

    def _asked_and_told(self, messages: list[Message]) -> tuple[str, str, str]:
        """Return the prompt of a talk's last answer, that answer as the model has to write it, and the talk's text.

        Some prompts begin the thoughts, and some talks leave them out: then the answer is what goes on from the prompt.
        """
        last, habits = messages[-1], self.habits
        thinking = bool(last.thoughts)
        told = self.render(messages, thinking=thinking)
        extra = habits.asks_for_thoughts if thinking else habits.asks_for_none
        if any(message.role in ("user", "assistant") for message in messages[:-1]):
            prompt = self.prompt(messages[:-1], thinking=thinking)
        else:  # a greeting: many templates write a beginning only in front of a turn
            prompt = self._before_a_greeting(told) + extra
        base = prompt.removesuffix(extra)
        if not told.startswith(base):
            raise _hidden()
        said = told[len(prompt) :] if told.startswith(prompt) else told[len(base) :]
        if last.content.strip() not in said:
            raise RowProblem(_("has an answer of which the model's chat template leaves out a part"))
        if not told.startswith(prompt) and OPEN in extra and CLOSE not in extra:
            said = f"{last.thoughts}\n{CLOSE}\n\n{said}"
        answer = ended(said, self._eos_tokens, goes_on=habits.goes_on)
        if answer is None:
            raise RowProblem(_("has no end-of-turn token after its answer, so the model would never learn to stop"))
        return prompt, answer, told

    def _before_a_greeting(self, told: str) -> str:
        for opening in (self.habits.opening, self.habits.earlier_opening):
            if opening and opening in told:
                return told[: told.index(opening) + len(opening)]
        raise _hidden()

    def tokenize(self, messages: list[Message], *, max_length: int | None = None) -> TokenizedRow:
        """Return ids and labels of one example, cut at `max_length` tokens. Raises RowProblem."""
        [row] = self.tokenize_all([messages])
        if isinstance(row, RowProblem):
            raise row
        return replace(row, input_ids=row.input_ids[:max_length], labels=row.labels[:max_length])

    def tokenize_all(self, conversations: list[list[Message]]) -> list[TokenizedRow | RowProblem]:
        """Return ids and labels of each conversation, or why it has none. A batch is faster than one by one."""
        rendered = [self._parts_or_problem(messages) for messages in conversations]
        texts = ["".join(text for text, _ in parts) for parts in rendered if not isinstance(parts, RowProblem)]
        encodings = iter(self._tokenizer.encode_batch(texts, add_special_tokens=False))
        return [
            parts if isinstance(parts, RowProblem) else _labelled(next(encodings), parts, learned_answers(messages))
            for messages, parts in zip(conversations, rendered, strict=True)
        ]

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
        question, answer = Message(role="user", content="?"), Message(role="assistant", content="!")
        shown = self._probe(question, CALL, RESULT, answer)
        return tools.NAME in shown and tools.RESULT in shown

    def _probe(self, *messages: Message) -> str:
        try:
            return self.render(list(messages))
        except RowProblem:
            return ""

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Return where each token of a text begins and ends, in characters."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).offsets)

    def tokenize_prompt(self, messages: list[Message], *, thinking: bool = False) -> list[int]:
        """Return the ids of a conversation that waits for the assistant."""
        ids: list[int] = self._tokenizer.encode(
            self.prompt(fit(messages, self.habits), thinking=thinking), add_special_tokens=False
        ).ids
        return ids

    @property
    def special_tokens(self) -> list[str]:
        """Return what the tokenizer reads as one token with a meaning of its own, such as <|im_end|>."""
        return [token.content for token in self._tokenizer.get_added_tokens_decoder().values() if token.special]

    def token_ids(self, tokens: list[str]) -> set[int]:
        """Return the ids of whole tokens."""
        return {number for token in tokens if (number := self._tokenizer.token_to_id(token)) is not None}


def _hidden() -> RowProblem:
    return RowProblem(_("cannot be marked: the model's chat template hides where the answer begins"))


@lru_cache(maxsize=2)  # half a second to load, and every stage of a job asks for it
def _tokenizer(path: Path) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _turns(messages: list[Message], *, in_pieces: bool) -> list[dict[str, Any]]:
    turns = [_turn(message, in_pieces=in_pieces) for message in messages]
    return tools.with_ids(turns) if any(message.calls or message.role == "tool" for message in messages) else turns


def _turn(message: Message, *, in_pieces: bool) -> dict[str, Any]:
    """Return a turn as templates take it. Some templates ask whether there are calls, others whether there is a key."""
    turn: dict[str, Any] = dict(message.as_dict())
    if in_pieces:
        turn["content"] = [{"type": "text", "text": message.content}]
    if message.answers:
        turn["tool_call_id"] = message.answers
    return {**turn, "tool_calls": json.loads(message.calls)} if message.calls else turn


def _labelled(encoding: Encoding, parts: list[tuple[str, bool]], answers: int) -> TokenizedRow:
    """Return ids, and as labels those that lie wholly in a trained part; of `answers` each should be one."""
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
    missed = max(0, answers - sum(trained for _text, trained in parts))
    return TokenizedRow(input_ids=ids, labels=labels, missed=missed)


def _special_tokens(folder: Path) -> dict[str, str]:
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    tokens = {}
    for name in ("bos_token", "eos_token", "pad_token", "unk_token"):
        value = config.get(name)
        tokens[name] = value.get("content", "") if isinstance(value, dict) else value or ""
    return tokens
