"""Tools in OpenAI's form: kept where the model's template shows them, and else said."""

import json
from pathlib import Path
from typing import Any

import pytest

from agent.base_models.card import BaseModelCard
from agent.data.chat_rows import to_messages
from agent.data.chat_template import ChatTemplate
from agent.data.inspect import inspect_dataset
from agent.data.reading import find_reading
from agent.data.tools import with_ids
from agent.data.turns import RowProblem
from agent.data.usable_rows import Drops, chat_rows
from agent.pipeline.prepare import read_character, read_held_out
from agent.pipeline.token_rows import read_rows
from shared.inspections import DatasetForm, FindingCode
from tests.agent.data.families import card_of_family
from tests.agent.data.test_inspect import jsonl
from tests.agent.pipeline.test_prepare import prepared

# As Qwen2.5's, cut to what matters here.
QWEN = """\
{%- if tools %}<|im_start|>system
Tools:{% for tool in tools %} {{ tool | tojson }}{% endfor %}<|im_end|>
{% endif %}
{%- for message in messages %}
{%- if message.role == "tool" %}<|im_start|>user
<tool_response>
{{ message.content }}
</tool_response><|im_end|>
{% else %}<|im_start|>{{ message.role }}
{{ message.content }}
{%- for call in message.tool_calls %}<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>{% endfor %}<|im_end|>
{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
# As Mistral's: ids of nine characters, and an offer that moves to the last question.
MISTRAL = """\
{%- set asked = messages | selectattr("role", "equalto", "user") | list %}
{%- for message in messages %}
{%- if message.role == "user" %}
{%- if tools and message == asked[-1] %}[OFFER]{{ tools | tojson }}[/OFFER]{% endif %}[INST]{{ message.content }}[/INST]
{%- elif message.tool_calls %}[CALLS]
{%- for call in message.tool_calls %}
{%- if call.id | length != 9 %}{{ raise_exception("Nine!") }}{% endif %}{{ call.function | tojson }}{{ call.id }}
{%- endfor %}<|im_end|>
{%- elif message.role == "tool" %}
{%- if message.tool_call_id | length != 9 %}{{ raise_exception("Nine!") }}{% endif -%}
[RESULT]{{ message.content }}{{ message.tool_call_id }}[/RESULT]
{%- else %}{{ message.content }}<|im_end|>
{%- endif %}
{%- endfor %}"""
WEATHER = {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}


def row(n: int, *, calls: bool = True, **more: Any) -> dict[str, Any]:
    """Return a row of OpenAI's documentation of fine-tuning with tools, with a city of its own."""
    call = {"id": f"call_{n}", "type": "function",
            "function": {"name": "get_weather", "arguments": json.dumps({"city": f"City {n}"})}}  # fmt: skip
    between: list[Any] = [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": f"call_{n}", "content": f"{n} degrees"},
    ]
    turns = [
        {"role": "user", "content": f"How warm is it in City {n}?"},
        *(between if calls else []),
        {"role": "assistant", "content": f"It has {n} degrees in City {n}, and the sun shines on all of its roofs."},
    ]
    return {
        "messages": turns,
        "tools": [{"type": "function", "function": WEATHER}],
        "parallel_tool_calls": False,
        **more,
    }


@pytest.fixture(scope="module")
def qwen(smollm2_card: BaseModelCard) -> BaseModelCard:
    return smollm2_card.model_copy(update={"chat_template": QWEN, "name": "qwen"})


def test_tools_are_rendered_and_calls_are_learned(tmp_path: Path, qwen: BaseModelCard) -> None:
    findings = inspect_dataset(jsonl(tmp_path, list(map(row, range(12)))), qwen)
    assert (findings.form, findings.rows) == (DatasetForm.messages, 12)
    parts = findings.sample.parts
    assert '"name": "get_weather"' in parts[0][0]
    assert "</tool_response>" in "".join(text for text, trained in parts if not trained)
    assert [text for text, trained in parts if trained] == [
        '<tool_call>\n{"name": "get_weather", "arguments": {"city": "City 0"}}\n</tool_call><|im_end|>',
        "It has 0 degrees in City 0, and the sun shines on all of its roofs.<|im_end|>",
    ]


def test_calls_have_the_ids_and_offers_the_place_that_mistral_gives_them(smollm2_card: BaseModelCard) -> None:
    template = ChatTemplate(smollm2_card.model_copy(update={"chat_template": MISTRAL}))
    assert template.shows_tools
    assert template.shows_calls
    turns = [*row(1)["messages"], *row(2, calls=False)["messages"]]
    talk = to_messages({**row(1), "messages": turns}, DatasetForm.messages)
    rows = [template.parts(example) for example in template.examples(talk)]
    learned = [text for parts in rows for text, is_learned in parts if is_learned]
    assert [text.partition("{")[0][:28] for text in reversed(learned)] == [
        "[CALLS]", "It has 1 degrees in City 1, ", "It has 2 degrees in City 2, ",
    ]  # fmt: skip
    for parts in rows:  # each is asked as it will be: with the tools before the last question
        text = "".join(text for text, _learned in parts)
        assert text.rindex("[OFFER]") > text[: text.rindex("[INST]")].rfind("[INST]")
    assert "[RESULT]1 degreescall00001[/RESULT]" in rows[0][0][0]


def test_a_result_says_which_call_it_answers() -> None:
    def call(name: str) -> dict[str, Any]:
        return {"role": "assistant", "tool_calls": [{"id": name, "function": {"name": "f", "arguments": {}}}]}

    turns: list[dict[str, Any]] = [
        {"role": "assistant", "tool_calls": [*call("abcdefghi")["tool_calls"], *call("call_two")["tool_calls"]]},
        {"role": "tool", "tool_call_id": "call_two"},
        {"role": "tool"},  # of the other
        {"role": "tool"},  # of none
    ]
    told = with_ids(turns)
    assert [each["id"] for each in told[0]["tool_calls"]] == ["abcdefghi", "call00002"]
    assert [each["tool_call_id"] for each in told[1:]] == ["call00002", "abcdefghi", "call00000"]
    assert turns[2] == {"role": "tool"}  # what is given stays as it is


def test_calls_of_one_id_are_told_apart() -> None:
    def call(*ids: str) -> dict[str, Any]:
        return {"role": "assistant", "tool_calls": [{"id": each, "function": {"name": "f"}} for each in ids]}

    def result(of: str) -> dict[str, Any]:
        return {"role": "tool", "tool_call_id": of}

    exchanges = [[call("call_1"), result("call_1")], [call("call_1"), result("call_1"), result("call_1")]]
    told = with_ids([*exchanges[0], *exchanges[1], call("call00004"), call("a", "a"), result("a"), result("a")])
    called = [each["id"] for turn in told for each in turn.get("tool_calls", ())]
    assert called == ["call00001", "call00002", "call00004", "call00005", "call00006"]
    answered = [turn["tool_call_id"] for turn in told if turn["role"] == "tool"]
    assert answered == ["call00001", "call00002", "call00002", "call00005", "call00006"]


def test_where_the_template_has_no_place_for_tools_it_is_said(tmp_path: Path, smollm2_card: BaseModelCard) -> None:
    rows: list[object] = [row(n, calls=n < 3) for n in range(14)]
    findings = inspect_dataset(jsonl(tmp_path, rows), smollm2_card)
    assert (findings.rows, findings.dropped_count) == (11, 3)
    assert findings.dropped[0].reason == (
        "Line 1 calls a tool, which the chat template of smollm2-135m does not show; those of Qwen2.5 and Llama 3.1 do."
    )
    (finding,) = [finding for finding in findings.findings if finding.code is FindingCode.tools_not_shown]
    assert (finding.count, finding.lines[0]) == (11, 4)
    assert finding.message == "11 rows offer tools that smollm2-135m does not see."
    assert not ChatTemplate(smollm2_card).shows_tools


def test_the_trainer_sees_the_tools_and_offers_them_to_the_finished_model(tmp_path: Path, qwen: BaseModelCard) -> None:
    data = "\n".join(json.dumps(row(n)) for n in range(12))
    folder = prepared(tmp_path, qwen, data, DatasetForm.messages, None, max_length=512)
    ids = ChatTemplate(qwen).tokenize(to_messages(row(0), DatasetForm.messages)).input_ids
    assert ids in [it.input_ids for part in ("train", "validation") for it in read_rows(folder, part)]
    prompts = read_held_out(folder)
    for prompt in prompts:
        assert [message["role"] for message in prompt.messages] == ["user"]
        assert prompt.tools == [{"type": "function", "function": WEATHER}]
        [call] = prompt.calls  # the first answer of each row
        assert (call.name, call.arguments["city"]) == ("get_weather", prompt.question.partition(" in ")[2].rstrip("?"))
    assert read_character(folder).tools


def test_sharegpt_calls_and_bare_functions_are_the_same_row() -> None:
    talk = [
        {"from": "human", "value": "How warm is it in City 1?"},
        {"from": "function_call", "value": json.dumps({"name": "get_weather", "arguments": {"city": "City 1"}})},
        {"from": "observation", "value": "1 degrees"},
        {"from": "gpt", "value": row(1)["messages"][-1]["content"]},
    ]
    sharegpt = to_messages({"conversations": talk, "tools": json.dumps([WEATHER])}, DatasetForm.sharegpt)
    openai = to_messages(row(1), DatasetForm.messages)
    assert [message.role for message in sharegpt] == [message.role for message in openai]
    assert json.loads(sharegpt[0].tools) == json.loads(openai[0].tools)
    assert json.loads(sharegpt[1].calls)[0]["function"] == json.loads(openai[1].calls)[0]["function"]


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ({"tools": "weather"}, "no list of tools"),
        ({"tools": [{"description": "nameless"}]}, "no list of tools"),
        ({"messages": [{"role": "user", "content": "?"}, {"role": "assistant", "tool_calls": [{"function": {}}]}]},
         "calls no tool with a name"),
        ({"messages": [{"role": "user", "content": "?"},
                       {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "not JSON"}}]}]},
         "calls no tool with a name and arguments"),
        ({"messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": None}]}, "without text"),
    ],
)  # fmt: skip
def test_broken_tools_are_a_problem_of_their_row(broken: dict[str, Any], words: str) -> None:
    with pytest.raises(RowProblem, match=words):
        to_messages(row(1, **broken), DatasetForm.messages)


@pytest.mark.parametrize("family", ["qwen3", "glm4moe", "gemma4_v5", "qwen2_5"])
def test_rows_of_several_examples_are_asked_with_their_tools_too(tmp_path: Path, family: str) -> None:
    data = "\n".join(json.dumps(row(n)) for n in range(30))
    folder = prepared(tmp_path, card_of_family(family), data, DatasetForm.messages, None, max_length=8192)
    prompts = read_held_out(folder)
    assert len(prompts) >= 3
    assert all(prompt.tools and prompt.calls for prompt in prompts)


def test_parts_of_a_long_talk_offer_its_tools(tmp_path: Path) -> None:
    card = card_of_family("qwen2_5")
    turns = [turn for n in range(30) for turn in row(n, calls=False)["messages"]]
    path = jsonl(tmp_path, [{**row(0), "messages": turns}] * 2)
    rows = list(chat_rows(find_reading(path), ChatTemplate(card), Drops()))
    assert len(rows) > 2
    assert all(each.messages[0].tools for each in rows)
