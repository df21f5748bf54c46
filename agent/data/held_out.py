"""Questions that no training row contained, and what the trained model answers to them."""

from typing import Any

from shared.schema import Response


class ToolCall(Response):
    """A tool that an answer calls."""

    name: str
    arguments: dict[str, Any]


class HeldOutPrompt(Response):
    """A question that no training row contained."""

    question: str
    messages: list[dict[str, Any]]  # OpenAI's, up to the question, without the system text that is the model's own
    tools: list[dict[str, Any]] = []  # that are offered with it
    calls: list[ToolCall] = []  # that its owner's answer makes; none where it answers in words
    prompt_ids: list[int]
    base_prompt_ids: list[int] = []  # the same question to the base model, which is told nothing of its own
    expected: str
    expected_tokens: int


class TunedAnswer(Response):
    """The trained model's greedy answer to one held-out prompt."""

    prompt: HeldOutPrompt
    tokens: list[int]  # with the end token, where one was reached
    near: list[list[int]] = []  # at each of the first positions, the tokens the model found as likely
    text: str
    stopped: bool
