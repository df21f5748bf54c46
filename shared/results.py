"""What a finished job says about itself."""

from typing import Literal

from shared.hyperparameters import Precision
from shared.language import _
from shared.schema import Response

COMPARED_TOKENS = 16  # an exported answer that equals the trained model's so far agrees with it


class Answer(Response):
    """One held-out question, before and after."""

    question: str
    base: str  # the base model's, with the adapter off
    tuned: str  # the exported GGUF's, from llama.cpp


class Advice(Response):
    """One line of troubleshooting, with the number that called for it."""

    rule: str  # the name of the rule that fired
    title: str  # "Overfitting"
    message: str  # what was seen, with the figures
    suggestion: str  # what to do next
    change: dict[str, float | int] = {}  # the settings a retry would change


class ToolCalls(Response):
    """What the exported model made of held-out questions that its rows answer with calls of tools."""

    asked: int
    right: int  # the same tools, with the same arguments
    right_tool: int  # the same tools, whatever the arguments


class Verification(Response):
    """How the exported model was checked in llama.cpp."""

    prompts: int
    agreed: int  # answers equal to the trained model's for 16 tokens or to their end
    undecided: int  # those that part where the trained model itself found both words as likely
    merge_target: Precision  # the weights the adapter was merged onto
    second_try: bool = False  # the first target did not agree, so both were tried and the better kept
    template_tokens_equal: bool | None  # None: each question offers tools, so `tools_as_trained` says it
    stops: bool  # ends its turn where the trained model, after the same words, did
    tool_calls: ToolCalls | None = None  # None: no held-out row calls a tool
    tools_as_trained: bool | None = None  # llama.cpp offers tools in the tokens of training; None: no row offers any
    thoughtful: int | None = None  # answers that came with thoughts; None: the rows have none

    @property
    def tools_and_thoughts(self) -> list[str]:
        """Return what came of tools and thoughts, in sentences; nothing for rows that have none."""
        lines, calls = [], self.tool_calls
        if calls is not None:
            lines.append(
                _(
                    "Calls tools: {right} of {asked} held-out calls right (name and arguments).",
                    right=calls.right,
                    asked=calls.asked,
                )
            )
        if self.tools_as_trained is False:
            lines.append(_("llama.cpp writes the offered tools otherwise than the rows had them."))
        if self.thoughtful is not None:
            lines.append(_("Thinks first: {n} of {answers} held-out answers.", n=self.thoughtful, answers=self.prompts))
        return lines


class OllamaOutcome(Response):
    """Whether the finished model is in the Ollama of the GPU machine."""

    status: Literal["created", "absent", "refused", "failed"]  # absent: no Ollama answers there
    message: str  # a sentence for a person; empty when created
    run: str | None = None  # what `ollama run` takes: mia-support, or mia-support:v1; of a created model alone
    name_taken: bool = False  # Ollama has another model of this name and version


class JobResult(Response):
    """The closing facts. Losses are nats per trained token."""

    verdict: str  # one or two sentences
    ready: bool = True  # its answers end, are there and do not go round; the verdict says what is wrong
    base_loss: float  # of the base model on the held-out rows
    final_loss: float  # of the tuned model on the same rows
    accuracy: float | None = None  # of a method that compares answers: the share that it moved the right way
    margin: float | None = None
    best_step: int
    best_validation_loss: float
    steps: int
    trained_tokens: int
    train_seconds: float
    tokens_per_s: float
    peak_memory_mib: int
    optimistic: bool  # validation doubled as test
    adapted: list[str] = []  # what the job changed of its settings by itself, and why: a sentence each
    short_memory_mib: int | None = None  # what it held when its memory was not enough; None: it was
    answers: list[Answer]  # the one that shows best what was learned first
    advice: list[Advice]
    verification: Verification
    ollama_name: str  # mia-support:v1
    gguf_bytes: int
    ollama: OllamaOutcome | None = None  # None: a result of before Ollama was spoken to

    @property
    def name_by_hand(self) -> str:
        """Return the name to create it under by hand: its own, unless that would replace another model."""
        if self.ollama is None or not self.ollama.name_taken:
            return self.ollama_name
        stem, _, tag = self.ollama_name.partition(":")
        return f"{stem}-new:{tag}"
