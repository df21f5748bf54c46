"""The child that holds one finished model: `python -m agent.chat.child`, offline and without a secret.

It reads a Load on stdin, then one Question a line, and writes a Line for each. It ends when stdin does, so that it
never outlives its agent. A crash of llama.cpp is a crash of this process alone.
"""

import json
import os
import queue
import secrets
import sys
import threading
import traceback
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from agent.chat.protocol import Line, Load, ModelReply, Question
from agent.children.network_guard import forbid_network

GIB = 1 << 30
COMPLETION_LIMIT_S = 3600.0  # the agent is less patient
SPARE_BYTES = 8 * GIB  # of addresses, beside the model: threads, buffers, the libraries


class Model:
    """llama.cpp's own server, in this process, behind a key made for the occasion."""

    def __init__(self, load: Load) -> None:
        import xllamacpp

        self._key = secrets.token_urlsafe(24)
        params = xllamacpp.CommonParams()
        params.model.path = load.gguf
        params.n_ctx = load.context
        params.n_parallel = 1
        params.n_gpu_layers = load.gpu_layers
        params.cpuparams.n_threads = load.threads
        params.cpuparams_batch.n_threads = load.threads
        params.api_keys = [self._key]
        params.hostnames = ["127.0.0.1"]
        params.port = 0
        params.warmup = False
        params.use_jinja = True
        self._server = xllamacpp.Server(params)

    def answer(self, question: Question, say: Callable[[Line], None]) -> Line:
        """Ask the model, its own chat template applied. Where pieces are wanted, `say` gets each."""
        body = {
            "messages": [message.model_dump(exclude_none=True) for message in question.messages],
            "max_tokens": question.max_tokens,
            "temperature": question.temperature,
            "top_p": question.top_p,
            "repeat_penalty": 1.0,
            "reasoning_format": "none",  # what it says, all of it
            **({} if question.seed is None else {"seed": question.seed}),
            **_tools(question),
        }
        if question.in_pieces and not question.tools:  # a call is of no use before it is whole
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        return self._post(body, say)

    def _post(self, body: dict[str, Any], say: Callable[[Line], None]) -> Line:
        request = urllib.request.Request(  # noqa: S310 - our own loopback server
            self._server.listening_address + "/v1/chat/completions",
            data=json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=COMPLETION_LIMIT_S) as response:  # noqa: S310 - the same
                return read_pieces(response, say) if "stream" in body else read_reply(json.loads(response.read()))
        except urllib.error.HTTPError as refusal:
            with refusal:
                return read_reply(json.loads(refusal.read()))


def _tools(question: Question) -> dict[str, Any]:
    if not question.tools:
        return {}
    return {
        "tools": [tool.model_dump(exclude_none=True) for tool in question.tools],
        "tool_choice": question.tool_choice,
    }


def read_pieces(lines: Iterable[bytes], say: Callable[[Line], None]) -> Line:
    """Read the events of llama.cpp's server; pass on each piece, and return the whole."""
    text, reason, usage = "", "", {"prompt_tokens": 0, "completion_tokens": 0}
    for line in lines:
        event = line.removeprefix(b"data:").strip()
        if not event or event == b"[DONE]" or not line.startswith(b"data:"):
            continue
        chunk = json.loads(event)
        if "error" in chunk:
            return _refusal(chunk["error"])
        usage = chunk.get("usage") or usage
        for choice in chunk.get("choices", []):
            piece = choice["delta"].get("content") or ""
            reason = choice.get("finish_reason") or reason
            if not text:
                piece = piece.lstrip()
            text += piece
            if piece:
                say(Line(piece=piece))
    message = {"content": text}
    return read_reply({"choices": [{"message": message, "finish_reason": reason}], "usage": usage})


def _refusal(error: dict[str, Any]) -> Line:
    if error.get("type") == "exceed_context_size_error":
        return Line(too_long=error["n_prompt_tokens"])
    return Line(problem=" ".join(str(error.get("message", error)).split())[:300])


def read_reply(reply: dict[str, Any]) -> Line:
    """Read what llama.cpp's server answered."""
    if reply.get("error") is not None:
        return _refusal(reply["error"])
    [choice] = reply["choices"]
    usage = reply["usage"]
    said = ModelReply(
        text=(choice["message"].get("content") or "").strip(),
        tool_calls=choice["message"].get("tool_calls") or [],
        finish_reason=choice["finish_reason"] if choice["finish_reason"] in ("stop", "tool_calls") else "length",
        prompt_tokens=usage["prompt_tokens"],
        completion_tokens=usage["completion_tokens"],
    )
    return Line(said=said)


def limit_this_process(load: Load) -> None:
    """Write no file and leave no core; without a GPU, whose driver maps all its memory, also bound the addresses."""
    forbid_network()
    try:
        import resource
    except ImportError:  # Windows: the agent's own limits still hold
        return
    limits = [(resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0)]
    if load.gpu_layers == 0:
        limits.append((resource.RLIMIT_AS, 3 * Path(load.gguf).stat().st_size + SPARE_BYTES))
    for limit, value in limits:
        resource.setrlimit(limit, (value, value))


def main() -> None:
    """Serve; what goes wrong is printed and ends the process at once, while its listener still waits for a line."""
    try:
        serve()
    except BaseException:
        traceback.print_exc()
    os._exit(1)


def serve() -> None:
    """Load a model and answer until stdin ends."""
    out = os.dup(1)
    os.dup2(2, 1)  # llama.cpp's log goes to stderr
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_hear, args=(lines,), daemon=True).start()
    load = Load.model_validate_json(lines.get())
    limit_this_process(load)
    model = Model(load)
    _say(out, Line())
    while True:
        _say(out, model.answer(Question.model_validate_json(lines.get()), partial(_say, out)))


def _hear(lines: "queue.SimpleQueue[bytes]") -> None:
    """Pass lines on, and end the process with the last one, whatever it is at: nobody would read the answer."""
    for line in sys.stdin.buffer:
        lines.put(line)
    os._exit(0)


def _say(out: int, line: Line) -> None:
    with os.fdopen(os.dup(out), "wb") as stream:
        stream.write(line.model_dump_json().encode() + b"\n")


if __name__ == "__main__":
    main()
