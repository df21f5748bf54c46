"""Asking a tuned model: OpenAI's chat completions, as far as trying a model needs them."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, field_validator, model_validator

from shared.people import RequestedBy
from shared.schema import Request, Response, SentenceError

MESSAGE_LENGTH = 16_000  # characters; what a model reads is bounded by its context anyway
DEFAULT_MAX_TOKENS = 512  # finite: a model that never ends its answer must not hold the machine
DEFAULT_TEMPERATURE = 0.3  # as the Modelfile says, so that a model answers here as it does in Ollama
DEFAULT_TOP_P = 0.9  # Ollama's own

MOST_TOOLS = 64
ChatRole = Literal["system", "user", "assistant", "tool"]
FinishReason = Literal["stop", "length", "tool_calls"]
ToolName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.\-]{1,64}$")]


class ChatFunction(Request):
    """What a tool is called, what it is for, and its arguments as a JSON schema."""

    name: ToolName
    description: Annotated[str, StringConstraints(max_length=MESSAGE_LENGTH)] | None = None
    parameters: dict[str, Any] = {}
    strict: bool | None = None  # of OpenAI's API; a model here is held to the schema anyway


class ChatTool(Request):
    """A tool that the model may call. Whoever asks runs it, never the agent."""

    type: Literal["function"] = "function"
    function: ChatFunction


class CalledFunction(Request):
    """Which tool is called, and with what."""

    name: ToolName
    arguments: Annotated[
        str, StringConstraints(max_length=MESSAGE_LENGTH), AfterValidator(lambda text: text.strip() or "{}")
    ]  # JSON


class ChatToolCall(Request):
    """One call of a tool."""

    id: Annotated[str, StringConstraints(max_length=100)] = ""
    type: Literal["function"] = "function"
    function: CalledFunction
    index: int | None = None  # of a stream


class ChatMessage(Request):
    """One turn, as text, with the tools that it calls; or what a tool gave back.

    What OpenAI's own answers have beside these may be sent back, and says nothing to a model here.
    """

    role: ChatRole
    content: Annotated[str, StringConstraints(max_length=MESSAGE_LENGTH)] | None = None
    name: Annotated[str, StringConstraints(max_length=100)] | None = Field(default=None, exclude=True)
    refusal: None = Field(default=None, exclude=True)
    annotations: Annotated[tuple[()], Field(max_length=0)] | None = Field(default=None, exclude=True)
    audio: None = Field(default=None, exclude=True)
    function_call: None = Field(default=None, exclude=True)
    tool_calls: Annotated[tuple[ChatToolCall, ...], Field(min_length=1, max_length=MOST_TOOLS)] | None = None
    tool_call_id: Annotated[str, StringConstraints(max_length=100)] | None = None  # which call a tool answers

    @field_validator("content", mode="before")
    @classmethod
    def _joined(cls, content: Any) -> Any:
        """Return parts that are texts as one text; others are refused as they are."""
        if isinstance(content, list) and all(isinstance(it, dict) and set(it) == {"type", "text"} for it in content):
            return "\n".join(str(it["text"]) for it in content)
        return content

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.content and not self.tool_calls and self.role != "tool":
            raise SentenceError("give a message a content")
        if self.tool_calls and self.role != "assistant":
            raise SentenceError("give tool_calls to messages of the assistant alone")
        return self


def _ends_with_a_question(messages: tuple[ChatMessage, ...]) -> tuple[ChatMessage, ...]:
    if messages[-1].role not in ("user", "tool"):
        raise SentenceError("give a list whose last message has the role user, or tool")
    return messages


class ToolByName(Request):
    """One of the tools."""

    name: ToolName


class ChosenTool(Request):
    """The tool that the model is to call."""

    type: Literal["function"] = "function"
    function: ToolByName


ToolChoice = Literal["auto", "none", "required"]


class StreamOptions(Request):
    """What comes with a stream."""

    include_usage: bool = False  # a last chunk without a choice, with the tokens read and said


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
    tools: Annotated[tuple[ChatTool, ...], Field(max_length=MOST_TOOLS)] | None = None
    tool_choice: ToolChoice | ChosenTool | None = None
    parallel_tool_calls: bool | None = None  # how many calls an answer has is the model's own
    n: Literal[1] = 1
    stream: bool = False  # as server-sent events: a ChatChunk each, then [DONE]
    stream_options: StreamOptions | None = None
    requested_by: RequestedBy | None = None

    @property
    def offered(self) -> tuple[ChatTool, ...]:
        """Return the tools that the model may call: of one that is chosen, that one."""
        chosen = self.tool_choice.function.name if isinstance(self.tool_choice, ChosenTool) else None
        return tuple(tool for tool in self.tools or () if chosen in (None, tool.function.name))

    @property
    def choice(self) -> ToolChoice:
        """Return whether it is to call one."""
        return "required" if isinstance(self.tool_choice, ChosenTool) else self.tool_choice or "auto"

    @model_validator(mode="after")
    def _chooses_what_is_offered(self) -> Self:
        if isinstance(self.tool_choice, ChosenTool) and not self.offered:
            raise SentenceError("let `tool_choice` name one of the tools")
        return self

    @property
    def token_limit(self) -> int:
        """Return how many tokens the answer may have."""
        return self.max_completion_tokens or self.max_tokens or DEFAULT_MAX_TOKENS


class AnsweredFunction(Response):
    """Which tool the model calls, and with what, as far as it wrote that."""

    name: str
    arguments: str  # JSON


class AnsweredCall(Response):
    """One call that the model makes; whoever asked runs it."""

    id: str = ""
    type: Literal["function"] = "function"
    function: AnsweredFunction


class ChatAnswer(Response):
    """What the model said."""

    role: Literal["assistant"] = "assistant"
    content: str
    tool_calls: list[AnsweredCall] | None = None


class Choice(Response):
    """OpenAI's choice; there is one."""

    index: int = 0
    message: ChatAnswer
    finish_reason: FinishReason  # length: the answer was cut off at max_tokens; tool_calls: run them and ask again


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


class ChunkDelta(Response):
    """What came since the chunk before."""

    role: Literal["assistant"] | None = None
    content: str | None = None
    tool_calls: list[AnsweredCall] | None = None


class ChunkChoice(Response):
    """OpenAI's choice of a chunk; there is one."""

    index: int = 0
    delta: ChunkDelta
    finish_reason: FinishReason | None = None  # of the last one


class ChatChunk(Response):
    """One event of an answer that is streamed."""

    id: str  # chatcmpl-…, the same in all
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: Usage | None = None
