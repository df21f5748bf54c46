"""Asking a tuned model: OpenAI's chat completions, as far as trying a model needs them."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from shared.people import RequestedBy
from shared.schema import Request, Response, SentenceError

MESSAGE_LENGTH = 16_000  # characters; what a model reads is bounded by its context anyway
DEFAULT_MAX_TOKENS = 512  # finite: a model that never ends its answer must not hold the machine
DEFAULT_TEMPERATURE = 0.3  # as the Modelfile says, so that a model answers here as it does in Ollama
DEFAULT_TOP_P = 0.9  # Ollama's own

ChatRole = Literal["system", "user", "assistant"]
FinishReason = Literal["stop", "length"]


class ChatMessage(Request):
    """One turn, as text."""

    role: ChatRole
    content: Annotated[str, StringConstraints(min_length=1, max_length=MESSAGE_LENGTH)]


def _ends_with_a_question(messages: tuple[ChatMessage, ...]) -> tuple[ChatMessage, ...]:
    if messages[-1].role != "user":
        raise SentenceError("give a list whose last message has the role user")
    return messages


class ChatRequest(Request):
    """The body of POST /v1/chat/completions."""

    model: Annotated[str, StringConstraints(min_length=1, max_length=200)]  # toast:v1; toast is its newest version
    messages: Annotated[
        tuple[ChatMessage, ...], Field(min_length=1, max_length=64), AfterValidator(_ends_with_a_question)
    ]
    max_tokens: Annotated[int, Field(ge=1, le=4096)] | None = None  # of the answer
    max_completion_tokens: Annotated[int, Field(ge=1, le=4096)] | None = None  # OpenAI's newer name of the same
    temperature: Annotated[float, Field(ge=0, le=2)] = DEFAULT_TEMPERATURE  # 0: always the likeliest word
    top_p: Annotated[float, Field(gt=0, le=1)] = DEFAULT_TOP_P
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    n: Literal[1] = 1
    stream: Literal[False] = False
    requested_by: RequestedBy | None = None

    @property
    def token_limit(self) -> int:
        """Return how many tokens the answer may have."""
        return self.max_completion_tokens or self.max_tokens or DEFAULT_MAX_TOKENS


class ChatAnswer(Response):
    """What the model said."""

    role: Literal["assistant"] = "assistant"
    content: str


class Choice(Response):
    """OpenAI's choice; there is one."""

    index: int = 0
    message: ChatAnswer
    finish_reason: FinishReason  # length: the answer was cut off at max_tokens


class Usage(Response):
    """Tokens read and said."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class ChatCompletion(Response):
    """OpenAI's answer to a chat."""

    id: str  # chatcmpl-…
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str  # with its version: toast:v1
    choices: list[Choice]
    usage: Usage
