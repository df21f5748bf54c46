"""What the finished model is asked of the rows that it never saw: as it is asked wherever nobody says otherwise."""

from dataclasses import replace

from agent.data.character import Character, system_text
from agent.data.chat_template import ChatTemplate
from agent.data.fitting import fit
from agent.data.held_out import HeldOutPrompt
from agent.data.turns import Message

BEGIN_CHARS, GOES_ON_CHARS = 200, 400  # of a text that the finished model is asked to go on with


def held_out_prompt(row: list[Message], template: ChatTemplate, character: Character) -> HeldOutPrompt:
    """Return a row, as it was read, as a question to the finished model and the answer that its owner gave."""
    messages = _asked_plainly(row)
    if character.system and not system_text(messages):
        messages = [Message(role="system", content=character.system), *messages]
    messages = fit(messages, replace(template.habits, takes_system=True))  # the prompt folds it, where that is needed
    asked, told = [replace(message, thoughts="") for message in messages[:-1]], messages[-1]  # nobody sends them back
    prompt_ids = template.tokenize_prompt(asked, thinking=character.asked_to_think)
    whole = template.tokenize(template.examples(messages)[0])
    is_own = system_text(asked) == character.system and sum(message.role == "system" for message in asked) == 1
    sent = asked[1:] if is_own else asked  # the finished model tells itself, where nobody tells it anything
    return HeldOutPrompt(
        question=next(message.content for message in reversed(asked) if message.role == "user"),
        messages=[{"role": message.role, "content": message.content} for message in sent],
        prompt_ids=prompt_ids,
        base_prompt_ids=template.tokenize_prompt(sent, thinking=character.asked_to_think),
        expected=told.content,
        expected_tokens=max(1, len(whole.input_ids) - len(prompt_ids)),
    )


def _asked_plainly(messages: list[Message]) -> list[Message]:
    """Return a row as a question that the finished model can be asked by itself, and its answer."""
    if messages[0].role == "text":
        return _begun(messages[0].content)
    if not any(message.tools or message.calls or message.role == "tool" for message in messages):
        return messages
    question = next(message for message in reversed(messages) if message.role == "user")
    return [replace(question, tools=""), Message(role="assistant", content=messages[-1].said)]


def _begun(text: str) -> list[Message]:
    """Return a text as a question and its answer: how it begins, and how it goes on."""
    begin, rest = text[: min(BEGIN_CHARS, len(text) // 2)], text[min(BEGIN_CHARS, len(text) // 2) :]
    return [Message(role="user", content=begin), Message(role="assistant", content=rest[:GOES_ON_CHARS])]
