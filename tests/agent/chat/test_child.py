"""What the child makes of llama.cpp's answers. That it really loads and answers is told by the acceptance story."""

import json
from typing import Any

import pytest

from agent.chat.child import read_pieces, read_reply
from agent.chat.protocol import Line, ModelReply

USAGE = {"prompt_tokens": 37, "completion_tokens": 3, "total_tokens": 40}


def reply(content: str | None, finish_reason: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": content}
    return {"choices": [{"finish_reason": finish_reason, "index": 0, "message": message}], "usage": USAGE}


@pytest.mark.parametrize(("content", "text"), [(" I am Toast.\n", "I am Toast."), ("", ""), (None, "")])
def test_an_answer_is_read(content: str | None, text: str) -> None:
    said = ModelReply(text=text, finish_reason="stop", prompt_tokens=37, completion_tokens=3)
    assert read_reply(reply(content, "stop")) == Line(said=said)


def test_a_call_of_a_tool_is_read() -> None:
    call = {"type": "function", "id": "c1", "function": {"name": "tide", "arguments": '{"port": "Bath"}'}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    said = read_reply({"choices": [{"finish_reason": "tool_calls", "message": message}], "usage": USAGE}).said
    assert said is not None
    assert (said.text, said.finish_reason) == ("", "tool_calls")
    assert [made.model_dump() for made in said.tool_calls] == [call]


def test_an_answer_that_was_cut_off_is_known_as_such() -> None:
    said = read_reply(reply("I am", "length")).said
    assert said is not None
    assert said.finish_reason == "length"


def test_a_question_that_is_too_long_is_told_from_other_refusals() -> None:
    error = {
        "code": 400, "message": "request (931 tokens) exceeds the available context size (512 tokens)",
        "type": "exceed_context_size_error", "n_prompt_tokens": 931, "n_ctx": 512,
    }  # fmt: skip
    assert read_reply({"error": error}) == Line(too_long=931)
    assert read_reply({"error": {"code": 500, "message": "System role\n not supported"}}) == Line(
        problem="System role not supported"
    )


def test_an_answer_in_pieces_is_passed_on_and_read_as_a_whole() -> None:
    def event(delta: dict[str, Any], finish: str | None = None) -> bytes:
        return b"data: " + json.dumps({"choices": [{"delta": delta, "finish_reason": finish}]}).encode() + b"\n"

    usage = b"data: " + json.dumps({"choices": [], "usage": USAGE}).encode() + b"\n"
    lines = [event({"role": "assistant", "content": None}), event({"content": " I am"}), b"\n", b": ping\n",
             event({"content": " Toast."}), event({}, "stop"), usage, b"data: [DONE]\n"]  # fmt: skip
    heard: list[Line] = []
    whole = read_pieces(lines, heard.append)
    assert [line.piece for line in heard] == ["I am", " Toast."]
    said = ModelReply(text="I am Toast.", finish_reason="stop", prompt_tokens=37, completion_tokens=3)
    assert whole == Line(said=said)
    broken = [event({"content": "I"}), b'data: {"error": {"message": "out of memory"}}\n']
    assert read_pieces(broken, heard.append) == Line(problem="out of memory")
