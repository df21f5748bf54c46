"""Questions that no training row contained, and what the trained model answers to them."""

from shared.schema import Response


class HeldOutPrompt(Response):
    """A question that no training row contained."""

    question: str
    messages: list[dict[str, str]]  # up to the question, without the system text that is the model's own
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
