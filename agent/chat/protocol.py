"""What the agent and the child that holds a model say to each other: JSON, one object a line."""

from shared.chat import AnsweredCall, ChatMessage, ChatTool, FinishReason, ToolChoice
from shared.schema import Response

LINE_LIMIT = 8 * 1024 * 1024  # bytes of the longest line; a request has at most 1 MiB of JSON


class Load(Response):
    """The first line: which model, and how much of the machine it may use."""

    gguf: str
    context: int  # tokens of question and answer together
    threads: int
    gpu_layers: int


class Question(Response):
    """Every further line."""

    messages: tuple[ChatMessage, ...]
    tools: tuple[ChatTool, ...] = ()
    tool_choice: ToolChoice = "auto"
    max_tokens: int
    temperature: float
    top_p: float
    seed: int | None
    in_pieces: bool = False  # as it is said: any number of lines with a `piece`, then the whole as ever


class ModelReply(Response):
    """A model's answer."""

    text: str
    tool_calls: list[AnsweredCall] = []
    finish_reason: FinishReason
    prompt_tokens: int
    completion_tokens: int


class Line(Response):
    """The child's answer to each line. All of them empty: the model is loaded."""

    said: ModelReply | None = None
    too_long: int | None = None  # so many tokens has the question, more than the context
    problem: str | None = None  # what llama.cpp said, in one line
    piece: str | None = None  # what was said since the line before; more comes
