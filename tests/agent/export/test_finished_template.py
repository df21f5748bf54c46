"""What is asked of a finished model is what it was trained on: by its own chat template, for every family."""

import itertools
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.base_models.catalog import PACKAGED, BaseModelSource, find_base_model
from agent.data.chat_template import ChatTemplate
from agent.data.fitting import fit
from agent.data.turns import Message
from agent.export.finished_template import finished_template
from agent.settings import AgentSettings
from tests.agent.data.families import OWN_FAMILIES, card_of_family, template_of

OWN = 'You are "Ruth"\\ of the {{lighthouse}} {% here %}.\nEin Satz, 猫 — mehr nicht.'
QUESTION = Message(role="user", content="Who are you?")
OTHER = Message(role="system", content="Somebody else.")
TALK = [QUESTION, Message(role="assistant", content="Ruth."), Message(role="user", content="And now?")]


def finished(name: str, *, system: str | None, thinks: bool) -> ChatTemplate:
    card, habits = card_of_family(name), template_of(name).habits
    source = finished_template(card.chat_template, system=system, thinks=thinks, habits=habits)
    return ChatTemplate(card.model_copy(update={"chat_template": source}))


@pytest.mark.parametrize("name", OWN_FAMILIES)
def test_it_asks_as_the_rows_did_and_leaves_a_client_the_last_word(name: str) -> None:
    base = template_of(name)
    for thinks in (False, True):
        model = finished(name, system=OWN, thinks=thinks)
        for asked in ([QUESTION], TALK):  # as in a row that has the system text
            row = fit([Message(role="system", content=OWN), *asked], base.habits)
            assert model.prompt(asked, thinking=not thinks) == base.prompt(row, thinking=thinks)
        prompt = model.prompt([OTHER, QUESTION])
        assert prompt == base.prompt(fit([OTHER, QUESTION], base.habits), thinking=thinks)
        assert "Ruth" not in prompt
    assert finished(name, system=None, thinks=False).prompt([QUESTION]) == base.prompt([QUESTION])


def test_what_an_older_version_trained_is_asked_as_it_was() -> None:
    source = card_of_family("qwen3").chat_template
    assert finished_template(source, system=None, thinks=None, habits=template_of("qwen3").habits) == source


SPREAD = ("gemma", "llama3_1", "qwen3", "gptoss")  # the others: `make soak`
CHATS = ([QUESTION], TALK, [OTHER, QUESTION])
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "tide",
            "description": 'When it is "high" water <& ebb>.',
            "parameters": {"type": "object", "properties": {"port": {"type": "string"}, "day": {"type": "integer"}}},
        },
    }
]
ARGUMENTS = {"port": "St. Peter's & Ø", "day": 3}
CALLS = [{"type": "function", "id": "call_1", "function": {"name": "tide", "arguments": ARGUMENTS}}]
OFFER = replace(QUESTION, tools=json.dumps(TOOLS))
CALL = Message(role="assistant", content="", calls=json.dumps(CALLS))
RESULT = Message(role="tool", content='{"high": "5:12"}')
OTHERWISE = ("gemma4_v2",)  # llama.cpp writes results of tools in its own way, as later templates of it do
BEGINS = ("<s>", "<｜begin▁of▁sentence｜>", "<|im_start|>")  # of a text; llama.cpp takes that of the file it has loaded


def without_beginning(prompt: str) -> str:
    return next((prompt.removeprefix(begin) for begin in BEGINS if prompt.startswith(begin)), prompt)


def body(chat: list[Message]) -> dict[str, Any]:
    """Return a chat as programs send it; they write arguments as a text."""
    call = {"id": "call_1", "type": "function", "function": {"name": "tide", "arguments": json.dumps(ARGUMENTS)}}
    messages = [
        {"role": message.role, "content": message.content, **({"tool_calls": [call]} if message.calls else {})}
        for message in chat
    ]
    return {"messages": messages, **({"tools": TOOLS} if chat[0].tools else {})}


def told_itself(chat: list[Message]) -> list[Message]:
    """Return a row that has the model's own system text."""
    own = Message(role="system", content=OWN, tools=chat[0].tools)
    return [own, replace(chat[0], tools=""), *chat[1:]]


def differences(gguf: str, names: tuple[str, ...]) -> list[str]:
    """Return where llama.cpp asks a finished model otherwise than a training row does."""
    cases, expected = list[dict[str, object]](), list[list[str]]()
    for name, thinks in itertools.product(names, (False, True)):
        base = template_of(name)
        source = finished_template(card_of_family(name).chat_template, system=OWN, thinks=thinks, habits=base.habits)
        chats = [*CHATS, [OFFER]] if base.shows_tools else [*CHATS]
        if base.shows_tools and base.shows_calls and name not in OTHERWISE:
            chats.append([OFFER, CALL, RESULT])
        cases.append({"template": source, "chats": [body(chat) for chat in chats]})
        rows = [chat if chat[0].role == "system" else told_itself(chat) for chat in chats]
        expected.append([base.prompt(fit(row, base.habits), thinking=thinks) for row in rows])
    command = [sys.executable, "-m", "tests.agent.export.apply_template", gguf]
    done = subprocess.run(command, input=json.dumps(cases).encode(), stdout=subprocess.PIPE, check=True, timeout=900)
    return [
        f"{name}: {prompt[-200:]!r}, and a row {row[-200:]!r}"
        for name, prompts, row_prompts in zip(
            (name for name in names for _ in range(2)), json.loads(done.stdout), expected, strict=True
        )
        for prompt, row in zip(prompts, row_prompts, strict=True)
        if without_beginning(prompt) != without_beginning(row)
    ]


@pytest.mark.slow
@pytest.mark.process
def test_llama_cpp_asks_a_finished_model_what_it_was_trained_on(tmp_path: Path) -> None:
    settings = AgentSettings.model_validate({"hearth_data_dir": tmp_path})
    source = find_base_model(PACKAGED, settings)
    assert isinstance(source, BaseModelSource)
    assert not differences(source.location, SPREAD)
