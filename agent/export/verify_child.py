"""The verify child: loads a finished GGUF in llama.cpp and holds its answers against the trained model's.

`python -m agent.export.verify_child` reads a VerifyRequest on stdin and writes a VerifyReply on stdout. A crash of
llama.cpp is a crash of this process alone. Its port is on loopback and wants a key made for the occasion.
"""

import json
import logging
import os
import secrets
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from agent.data.held_out import HeldOutPrompt, ToolCall, TunedAnswer
from shared.language import _
from shared.results import COMPARED_TOKENS, ToolCalls
from shared.schema import Response

CONTEXT_SPARE = 64
END = -1  # stands where an exported answer is over; no token has this number
COMPLETION_LIMIT_S = 600.0
CALLS_LIMIT_S = 300.0  # for all calls of tools together; no export fails for want of them
TOOLS_SPARE = 512  # tokens, where llama.cpp writes the tools longer

logger = logging.getLogger("agent.export.verify_child")


class VerifyRequest(Response):
    """What the child is asked for."""

    gguf: str
    answers: list[TunedAnswer]
    max_new_tokens: int
    threads: int
    gpu_layers: int


class VerifyReply(Response):
    """What llama.cpp made of the file."""

    texts: list[str]  # one answer for each prompt
    agreed: int
    undecided: int
    template_tokens_equal: bool | None  # None: each prompt offers tools
    stops: bool
    difference: str | None  # where the template's tokens part, for a person
    tool_calls: ToolCalls | None = None  # None: no held-out row calls a tool, or none could be asked
    tools_as_trained: bool | None = None  # None: no prompt offers tools


def verify(request: VerifyRequest) -> VerifyReply:
    """Ask every prompt, greedily, once."""
    server = Server(request)
    prompts = [answer.prompt for answer in request.answers]
    offering = [prompt for prompt in prompts if prompt.tools]
    texts, meetings, endings, difference = [], [], [], None
    for answer in request.answers:
        if not answer.prompt.tools:
            difference = difference or server.template_difference(answer.prompt)
        tokens, text, stopped = server.complete(answer.prompt.prompt_ids)
        texts.append(text.strip())
        meetings.append(compare(answer, tokens, server.continue_from))
        if answer.stopped:
            endings.append(Ending(followed=tokens[: len(answer.tokens) - 1] == answer.tokens[:-1], stopped=stopped))
    return VerifyReply(
        texts=texts,
        agreed=meetings.count(Agreement.agreed),
        undecided=meetings.count(Agreement.undecided),
        template_tokens_equal=None if all(prompt.tools for prompt in prompts) else difference is None,
        stops=stops_like_trained(endings),
        difference=difference,
        tool_calls=check_calls(server, prompts),
        tools_as_trained=all(map(server.offers_as_trained, offering)) if offering else None,
    )


class Asked(Protocol):
    """What answers a program that offers tools."""

    def calls(self, prompt: HeldOutPrompt) -> list[ToolCall] | None:
        """Return the tools that it calls; None where it could not be asked."""


def check_calls(server: Asked, prompts: list[HeldOutPrompt]) -> ToolCalls | None:
    """Ask what calls a tool as a program does that offers tools; None where no answer calls one that is offered.

    llama.cpp reads no calls where it offered no tools, so rows with calls alone are not asked; neither is anything more
    when that takes too long.
    """
    deadline = time.monotonic() + CALLS_LIMIT_S
    pairs = list[tuple[list[ToolCall], list[ToolCall]]]()
    for prompt in prompts:
        if prompt.calls and prompt.tools and time.monotonic() < deadline:
            made = server.calls(prompt)
            pairs += [] if made is None else [(prompt.calls, made)]
    if not pairs:
        return None
    return ToolCalls(
        asked=len(pairs),
        right=sum(wanted == made for wanted, made in pairs),
        right_tool=sum([call.name for call in wanted] == [call.name for call in made] for wanted, made in pairs),
    )


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How the export went on where the trained model ended its answer."""

    followed: bool  # it had said the same words up to there
    stopped: bool  # it ended by itself, there or later


def stops_like_trained(endings: list[Ending]) -> bool:
    """Tell whether the export ends its turns. What it does after other words than the trained model proves nothing."""
    followed = [ending.stopped for ending in endings if ending.followed]
    return all(followed) if followed else any(ending.stopped for ending in endings) or not endings


class Agreement(Enum):
    """How two greedy answers to one prompt compare."""

    agreed = "agreed"  # equal for sixteen tokens, or to the end of a shorter one
    undecided = "undecided"  # the same, but for words that the trained model itself found as likely as its own
    different = "different"


def compare(trained: TunedAnswer, exported: list[int], continue_from: Callable[[list[int]], list[int]]) -> Agreement:
    """Hold the first tokens of two answers against each other.

    Where the export says a word that the trained model found as likely as its own, it is given the trained model's word
    and asked to go on (`continue_from` a prompt), so that the tokens after it are compared too.
    """
    length = min(COMPARED_TOKENS, len(trained.tokens) - 1)  # llama.cpp does not give back the end token
    expected, said = trained.tokens[:length], exported
    meeting = Agreement.agreed
    for at in range(length):
        token = said[at] if at < len(said) else END
        if token == expected[at]:
            continue
        if at >= len(trained.near) or token not in trained.near[at]:
            return Agreement.different
        meeting = Agreement.undecided
        given = expected[: at + 1]
        said = given + continue_from(trained.prompt.prompt_ids + given)
    return meeting if length > 0 else Agreement.different


class Server:
    """llama.cpp's own server, in this process."""

    def __init__(self, request: VerifyRequest) -> None:
        import xllamacpp

        self._key = secrets.token_urlsafe(24)
        self._limit = request.max_new_tokens
        params = xllamacpp.CommonParams()
        params.model.path = request.gguf
        params.n_ctx = (
            max(len(a.prompt.prompt_ids) for a in request.answers) + self._limit + COMPARED_TOKENS + CONTEXT_SPARE
        ) + (TOOLS_SPARE if any(answer.prompt.tools for answer in request.answers) else 0)
        params.n_parallel = 1
        params.n_gpu_layers = request.gpu_layers
        params.cpuparams.n_threads = request.threads
        params.cpuparams_batch.n_threads = request.threads
        params.api_keys = [self._key]
        params.hostnames = ["127.0.0.1"]
        params.port = 0
        params.warmup = False
        params.use_jinja = True
        params.check_tensors = True  # refuses weights that are not finite
        self._server = xllamacpp.Server(params)

    def complete(self, prompt: list[int], *, limit: int | None = None) -> tuple[list[int], str, bool]:
        """Return the tokens, text, and whether it ended by itself."""
        reply = self._post(
            "/completion",
            {
                "prompt": prompt,
                "n_predict": limit or self._limit,
                "temperature": 0.0,
                "top_k": 1,
                "repeat_penalty": 1.0,
                "return_tokens": True,
                "cache_prompt": False,
            },
        )
        return reply["tokens"], reply["content"], reply["stop_type"] in ("eos", "word")

    def continue_from(self, prompt: list[int]) -> list[int]:
        """Return the next tokens after `prompt`, enough to compare."""
        return self.complete(prompt, limit=COMPARED_TOKENS)[0]

    def calls(self, prompt: HeldOutPrompt) -> list[ToolCall] | None:
        """Return the tools that it calls, as llama.cpp reads its answer; None where that could not be asked."""
        asked = {**_chat(prompt), "max_tokens": self._limit, "temperature": 0.0}
        try:
            message = self._post("/v1/chat/completions", asked, limit_s=CALLS_LIMIT_S)["choices"][0]["message"]
        except (OSError, ValueError, LookupError, TypeError) as error:
            logger.warning("a call could not be asked for: %s", error)
            return None
        try:
            return read_calls(message)
        except (ValueError, LookupError, TypeError) as error:
            logger.warning("a call cannot be read: %s", error)
            return []

    def offers_as_trained(self, prompt: HeldOutPrompt) -> bool:
        """Say whether llama.cpp offers tools in the tokens of training; a template that it refuses does not."""
        try:
            return self.template_difference(prompt) is None
        except (OSError, ValueError, LookupError, TypeError) as error:
            logger.warning("tools cannot be offered: %s", error)
            return False

    def template_difference(self, asked: HeldOutPrompt) -> str | None:
        """Say where llama.cpp's rendering of a prompt parts from training's; None when it does not."""
        prompt = self._post("/apply-template", _chat(asked))["prompt"]
        found = self._post("/tokenize", {"content": prompt, "add_special": True, "parse_special": True})["tokens"]
        expected = asked.prompt_ids
        if found == expected:
            return None
        at = next((i for i, pair in enumerate(zip(found, expected, strict=False)) if pair[0] != pair[1]), -1)
        return _(
            "{found} tokens for {expected}, first difference at {at}", found=len(found), expected=len(expected), at=at
        )

    def _post(self, path: str, body: dict[str, Any], *, limit_s: float = COMPLETION_LIMIT_S) -> Any:
        request = urllib.request.Request(  # noqa: S310 - our own loopback server
            self._server.listening_address + path,
            data=json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=limit_s) as response:  # noqa: S310
            return json.loads(response.read())


def _chat(prompt: HeldOutPrompt) -> dict[str, Any]:
    return {"messages": prompt.messages, **({"tools": prompt.tools} if prompt.tools else {})}


def read_calls(message: dict[str, Any]) -> list[ToolCall]:
    """Return the calls of an answer in OpenAI's form. Raises ValueError, KeyError."""
    functions = [call["function"] for call in message.get("tool_calls") or []]
    return [ToolCall(name=each["name"], arguments=json.loads(each["arguments"] or "{}")) for each in functions]


def main() -> None:
    """Answer one VerifyRequest."""
    request = VerifyRequest.model_validate_json(sys.stdin.buffer.read())
    out = os.dup(1)
    os.dup2(2, 1)  # llama.cpp's log goes to stderr
    os.write(out, verify(request).model_dump_json().encode())


if __name__ == "__main__":
    main()
