"""What the finished model is asked of the rows that it never saw: as it is asked wherever nobody says otherwise."""

import json
from dataclasses import replace
from typing import Any

from agent.data.character import Character, system_text
from agent.data.chat_template import ChatTemplate
from agent.data.fitting import fit
from agent.data.held_out import HeldOutPrompt, ToolCall
from agent.data.turns import Message, offering, told

BEGIN_CHARS, GOES_ON_CHARS = 200, 400  # of a text that the finished model is asked to go on with


def held_out_prompt(row: list[Message], template: ChatTemplate, character: Character) -> HeldOutPrompt:
    """Return a row, as it was read, as a question to the finished model and the answer that its owner gave."""
    messages = _alone(_up_to_an_answer(row, template))
    offered = messages[0].tools
    if character.system and not system_text(messages):
        messages = told(character.system, messages)
    messages = fit(messages, replace(template.habits, takes_system=True))  # the prompt folds it, where that is needed
    asked, answer = [replace(message, thoughts="") for message in messages[:-1]], messages[-1]  # nobody sends them back
    prompt_ids = template.tokenize_prompt(asked, thinking=character.asked_to_think)
    whole = template.tokenize(template.examples(messages)[0])
    is_own = system_text(asked) == character.system and sum(message.role == "system" for message in asked) == 1
    sent = asked[1:] if is_own else asked  # the finished model tells itself, where nobody tells it anything
    return HeldOutPrompt(
        question=next(message.content for message in reversed(asked) if message.role == "user"),
        messages=list(map(_as_sent, sent)),
        tools=json.loads(offered) if offered else [],
        calls=_calls(answer),
        prompt_ids=prompt_ids,
        base_prompt_ids=template.tokenize_prompt(offering(offered, sent), thinking=character.asked_to_think),
        expected=answer.content or answer.calls,
        expected_tokens=max(1, len(whole.input_ids) - len(prompt_ids)),
    )


def _up_to_an_answer(messages: list[Message], template: ChatTemplate) -> list[Message]:
    """Return a row as a question that the finished model can be asked, and its answer: the first call, if it has one.

    Tools that the model is not shown are not offered.
    """
    if messages[0].role == "text":
        return _begun(messages[0].content)
    asked = next((at for at, message in enumerate(messages) if message.role == "user"), 0)
    learned = [at for at, it in enumerate(messages) if at > asked and it.role == "assistant" and it.learned]
    messages = messages[: learned[-1] + 1] if learned else messages
    calls = [at for at in learned if messages[at].calls]
    if not calls and not messages[0].tools and not any(message.role == "tool" for message in messages):
        return messages
    if template.shows_tools and (template.shows_calls or not calls):
        return messages[: calls[0] + 1] if calls else messages
    question = next(message for message in reversed(messages) if message.role == "user")
    return [replace(question, tools=""), Message(role="assistant", content=messages[-1].said)]


def _alone(messages: list[Message]) -> list[Message]:
    """Return a talk of which nothing but its last answer is learned."""
    return [replace(message, learned=message is messages[-1]) for message in messages]


def _as_sent(message: Message) -> dict[str, Any]:
    """Return a turn as programs send it. None of them calls a tool: the first call is what is asked for."""
    return {"role": message.role, "content": message.content}


def _calls(answer: Message) -> list[ToolCall]:
    calls = json.loads(answer.calls) if answer.calls else []
    return [ToolCall(name=call["function"]["name"], arguments=call["function"]["arguments"]) for call in calls]


def _begun(text: str) -> list[Message]:
    """Return a text as a question and its answer: how it begins, and how it goes on."""
    begin, rest = text[: min(BEGIN_CHARS, len(text) // 2)], text[min(BEGIN_CHARS, len(text) // 2) :]
    return [Message(role="user", content=begin), Message(role="assistant", content=rest[:GOES_ON_CHARS])]
