"""A talk is the same one in whatever form a file has it: every text in its place or named, the same answers learned."""

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from agent.base_models.card import BaseModelCard
from agent.data.chat_template import ChatTemplate
from agent.data.lost_texts import lost_texts
from agent.data.reading import find_reading
from agent.data.turns import Message
from agent.data.usable_rows import Drops, chat_rows
from tests.agent.data.families import plain
from tests.agent.data.test_families import talks
from tests.agent.data.test_tool_talks import tool_talks

Row = dict[str, Any]
ROWS = 2  # of a file, all the same
SHAREGPT = {"system": "system", "user": "human", "assistant": "gpt", "tool": "observation"}


def openai(talk: list[Message]) -> Row:
    turns = []
    for message in talk:
        turn: Row = {"role": message.role, "content": message.content}
        if message.calls:
            turn["tool_calls"] = json.loads(message.calls)
        if message.thoughts:
            turn["reasoning_content"] = message.thoughts
        if message.role == "assistant" and not message.learned:
            turn["weight"] = 0
        turns.append(turn)
    return {"messages": turns} | ({"tools": json.loads(talk[0].tools)} if talk[0].tools else {})


def sharegpt(talk: list[Message]) -> Row | None:
    if any(message.role == "assistant" and not message.learned for message in talk):
        return None
    turns = []
    for message in talk:
        text = f"<think>\n{message.thoughts}\n</think>\n\n{message.content}" if message.thoughts else message.content
        turn = {"from": SHAREGPT[message.role], "value": text}
        if message.calls:
            turn = {"from": "function_call", "value": json.dumps(json.loads(message.calls)[0]["function"])}
        turns.append(turn)
    return {"conversations": turns} | ({"tools": talk[0].tools} if talk[0].tools else {})


def system_beside(talk: list[Message]) -> Row | None:
    if talk[0].role != "system" or any(message.role == "system" for message in talk[1:]):
        return None
    row = openai([replace(talk[1], tools=talk[0].tools), *talk[2:]])
    return {"system": talk[0].content} | row


def batch(talk: list[Message]) -> Row:
    return {"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "m"} | openai(talk)}


def _is_plain(talk: list[Message]) -> bool:
    """Say whether it has nothing but a system text at its beginning, and questions and answers in turn."""
    turns = talk[1:] if talk[0].role == "system" else talk
    in_turn = all(
        (one.role, two.role) in (("user", "assistant"), ("assistant", "user")) for one, two in pairwise(turns)
    )
    simple = not any(message.thoughts or message.calls or message.tools or not message.learned for message in talk)
    return in_turn and simple and turns[0].role == "user"


def gemini(talk: list[Message]) -> Row | None:
    if not _is_plain(talk):
        return None
    roles = {"user": "user", "assistant": "model"}
    told = [message for message in talk if message.role == "system"]
    contents = [
        {"role": roles[message.role], "parts": [{"text": message.content}]}
        for message in talk
        if message.role != "system"
    ]
    system = {"systemInstruction": {"role": "system", "parts": [{"text": told[0].content}]}} if told else {}
    return {**system, "contents": contents}


def bedrock(talk: list[Message]) -> Row | None:
    if not _is_plain(talk):
        return None
    told = [{"text": message.content} for message in talk if message.role == "system"]
    turns = [
        {"role": message.role, "content": [{"text": message.content}]} for message in talk if message.role != "system"
    ]
    return {"schemaVersion": "bedrock-conversation-2024", "system": told, "messages": turns}


def _pair(talk: list[Message]) -> tuple[Row, str, str] | None:
    if not _is_plain(talk) or sum(message.role == "user" for message in talk) != 1:
        return None
    system = {"system": talk[0].content} if talk[0].role == "system" else {}
    return system, talk[-2].content, talk[-1].content


def prompt_completion(talk: list[Message]) -> Row | None:
    pair = _pair(talk)
    return pair and {**pair[0], "prompt": pair[1], "completion": pair[2]}


def alpaca(talk: list[Message]) -> Row | None:
    pair = _pair(talk)
    return pair and {**pair[0], "instruction": pair[1], "input": "", "output": pair[2]}


def alpaca_with_history(talk: list[Message]) -> Row | None:
    if not _is_plain(talk):
        return None
    *before, question, answer = [message.content for message in talk if message.role != "system"]
    system = {"system": talk[0].content} if talk[0].role == "system" else {}
    history = [list(pair) for pair in zip(before[::2], before[1::2], strict=True)]
    return {**system, "history": history, "instruction": question, "output": answer}


def question_answer(talk: list[Message]) -> Row | None:
    pair = _pair(talk)
    return pair and {**pair[0], "Question": pair[1], "Answer": pair[2]}


def preference(talk: list[Message]) -> Row | None:
    if not _is_plain(talk):
        return None
    other = [{"role": "assistant", "content": "Something worse."}]
    return {"prompt": openai(talk[:-1])["messages"], "chosen": openai(talk[-1:])["messages"], "rejected": other}


def chatml(talk: list[Message]) -> Row | None:
    if not _is_plain(talk):
        return None
    return {"text": "".join(f"<|im_start|>{it.role}\n{it.content}<|im_end|>\n" for it in talk)}


FORMS: list[Callable[[list[Message]], Row | None]] = [
    openai, sharegpt, system_beside, batch, gemini, bedrock, prompt_completion, alpaca, alpaca_with_history,
    question_answer, preference, chatml,
]  # fmt: skip
CONTAINERS: list[Callable[[list[Row]], str]] = [
    lambda rows: "".join(f"{json.dumps(row)}\n" for row in rows),
    lambda rows: json.dumps(rows, ensure_ascii=False, indent=2),
    lambda rows: "".join(json.dumps(row, indent=1) for row in rows),
    lambda rows: repr(rows),
]


@st.composite
def plain_talks(draw: st.DrawFn) -> list[Message]:
    """Return a talk that most forms can say."""
    talk = draw(talks())
    first = next(at for at, message in enumerate(talk) if message.role == "user")
    told = [message for message in talk if message.role == "system"][:1]
    turns: list[Message] = []
    for message in talk[first:]:
        if message.role != "system" and (not turns or turns[-1].role != message.role):
            turns.append(replace(message, thoughts="", learned=True))
    turns = turns[: 2 * draw(st.integers(1, max(1, len(turns) // 2)))]
    return [*told, *turns]


def what_is_said(talk: list[Message]) -> list[tuple[object, ...]]:
    """Return who says what in a talk, and what of it is learned."""
    return [
        (
            message.role,
            plain(message.content),
            [call["function"] for call in json.loads(message.calls)] if message.calls else [],
            plain(message.thoughts),
            message.learned,
        )
        for message in talk
    ]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
@given(talk=st.one_of(plain_talks(), talks(), tool_talks()), write=st.sampled_from(CONTAINERS))
@settings(max_examples=10, deadline=None, database=None, phases=[Phase.generate])
def test_a_talk_is_the_same_in_every_form(
    form: Callable[[list[Message]], Row | None],
    smollm2_card: BaseModelCard,
    talk: list[Message],
    write: Callable[[list[Row]], str],
) -> None:
    row = form(talk)
    if row is None:
        return
    if form is not chatml:  # a text with another column is no text to be learned as a whole
        row |= {"remark": {"deep": ["Mind the gap between them."]}}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rows"
        path.write_text(write([row] * ROWS), encoding="utf-8")
        drops = Drops()
        read = list(chat_rows(find_reading(path), ChatTemplate(smollm2_card), drops))
    assert drops.first == []
    for each in read:
        assert what_is_said(each.messages) == what_is_said(talk)
        assert lost_texts(each.value, each.messages) == ({"remark.deep"} if "remark" in row else set())
        if talk[0].tools:
            assert json.loads(each.messages[0].tools) == json.loads(talk[0].tools)
