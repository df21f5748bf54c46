"""Talks with tools, for every family: what is offered, called and given back is shown, and every answer is learned."""

import json
from dataclasses import replace

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from agent.data.character import Character
from agent.data.chat_template import ChatTemplate
from agent.data.turns import Message, RowProblem, read_turn
from agent.export.finished_template import finished_template
from agent.pipeline.held_out_prompts import held_out_prompt
from tests.agent.data.families import ENDS, FAMILIES, OWN_FAMILIES, card_of_family, plain, template_of

WORDS = st.text("abcdefgh ijkLMN", min_size=1, max_size=12).map(lambda text: f"w{text}w")
NUMBERS = st.integers(1000, 9999)
OWN = "You are Ruth."


@st.composite
def tool_talks(draw: st.DrawFn) -> list[Message]:
    """Return a talk in which some questions are answered by a call, what came back, and words about it."""
    count = iter(range(1000))
    names = [f"tool_{number}" for number in range(draw(st.integers(1, 3)))]
    schema = {"type": "object", "properties": {"place": {"type": "string"}, "day": {"type": "integer"}}}
    offered = [
        {"type": "function", "function": {"name": name, "description": draw(WORDS), "parameters": schema}}
        for name in names
    ]

    def call() -> str:
        function = {"name": draw(st.sampled_from(names)), "arguments": {"place": draw(WORDS), "day": draw(NUMBERS)}}
        return json.dumps([{"type": "function", "id": "call_1", "function": function}])

    talk = [Message(role="system", content=f"System {draw(WORDS)}")] if draw(st.booleans()) else []
    for _exchange in range(draw(st.integers(1, 3))):
        talk.append(Message(role="user", content=f"Question {next(count)} {draw(WORDS)}?"))
        if draw(st.booleans()):
            talk.append(Message(role="assistant", content="", calls=call()))
            talk.append(Message(role="tool", content=json.dumps({"found": draw(NUMBERS)})))
        talk.append(Message(role="assistant", content=f"Answer {next(count)} {draw(WORDS)}."))
    return [replace(talk[0], tools=json.dumps(offered)), *talk[1:]]


def shown(template: ChatTemplate, talk: list[Message]) -> bool:
    calls = any(message.calls for message in talk)
    return template.shows_tools and (template.shows_calls or not calls)


@pytest.mark.parametrize("name", FAMILIES)
@given(talk=tool_talks())
@settings(max_examples=3, deadline=None, database=None, phases=[Phase.generate])
def test_what_is_offered_called_and_given_back_is_shown_and_learned(name: str, talk: list[Message]) -> None:
    template = template_of(name)
    if not shown(template, talk):
        if any(message.calls for message in talk) and not template.shows_calls:
            with pytest.raises(RowProblem, match="calls a tool"):
                template.parts(template.examples(talk)[0])
        return
    rows = [template.parts(example) for example in template.examples(talk)]
    whole = plain("".join(text for text, _learned in rows[0]))
    learned = [plain(text) for row in rows for text, is_learned in row if is_learned]
    assert all(text.endswith(tuple(plain(end) for end in ENDS)) for text in learned)
    for tool in json.loads(talk[0].tools):
        assert plain(tool["function"]["description"]) in whole
    for message in talk:
        assert plain(message.content) in whole or message.role == "tool"
        if message.role == "tool":
            assert str(json.loads(message.content)["found"]) in whole
        if message.role == "assistant" and not message.calls:
            assert sum(plain(message.content) in text for text in learned) == 1
        if message.calls:
            [call] = json.loads(message.calls)
            arguments = [plain(str(value)) for value in call["function"]["arguments"].values()]
            assert any(call["function"]["name"] in text and all(it in text for it in arguments) for text in learned)


@pytest.mark.parametrize("name", OWN_FAMILIES)
@given(talk=tool_talks(), thinks=st.booleans(), has_own=st.booleans())
@settings(max_examples=3, deadline=None, database=None, phases=[Phase.generate])
def test_a_held_out_row_is_asked_with_its_tools_up_to_the_first_call(
    name: str, talk: list[Message], thinks: bool, has_own: bool
) -> None:
    base, card = template_of(name), card_of_family(name)
    character = Character(system=OWN if has_own else None, thinks=thinks)
    asked = held_out_prompt(talk, base, character)
    first = next((message for message in talk if message.calls), None)
    if not shown(base, talk):
        assert (asked.tools, asked.calls) == ([], [])
    else:
        assert asked.tools == json.loads(talk[0].tools)
        wanted = json.loads(first.calls)[0]["function"] if first is not None else None
        assert [call.model_dump() for call in asked.calls] == ([wanted] if wanted else [])
    source = finished_template(card.chat_template, system=character.system, thinks=thinks, habits=base.habits)
    finished = ChatTemplate(card.model_copy(update={"chat_template": source}))
    sent = [read_turn(turn) for turn in asked.messages]
    sent[0] = replace(sent[0], tools=json.dumps(asked.tools) if asked.tools else "")
    ids = finished._tokenizer.encode(finished.render(sent, add_generation_prompt=True), add_special_tokens=False).ids
    assert ids == asked.prompt_ids
