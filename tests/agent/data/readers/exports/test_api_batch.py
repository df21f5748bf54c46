"""Batches of an API: questions with their answers, wherever these stand; a file without them says where they are."""

from pathlib import Path
from typing import Any

import pytest

from agent.data.readers.formats import read_rows
from agent.errors import AgentError
from tests.agent.data.readers.exports.files import pair, problems, saved, talks

OPENAI: list[dict[str, Any]] = [
    {"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "a", "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Bread?"}]}]}},
    {"id": "batch_1", "custom_id": "1", "error": None, "response": {"status_code": 200, "body": {"choices": [
        {"index": 0, "message": {"role": "assistant", "content": "Baked."}, "finish_reason": "stop"}]}}},
]  # fmt: skip
RESPONSES: list[dict[str, Any]] = [
    {"custom_id": "1", "method": "POST", "url": "/v1/responses",
     "body": {"model": "a", "instructions": "Be brief.", "input": "Bread?"}},
    {"custom_id": "1", "response": {"status_code": 200, "body": {"output": [
        {"type": "reasoning", "summary": []},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Baked."}]}]}}},
]  # fmt: skip
ANTHROPIC: list[dict[str, Any]] = [
    {"custom_id": "1", "params": {"model": "a", "system": [{"type": "text", "text": "Be brief."}],
                                  "messages": [{"role": "user", "content": "Bread?"}]}},
    {"custom_id": "1", "result": {"type": "succeeded", "message": {
        "role": "assistant", "content": [{"type": "text", "text": "Baked."}]}}},
]  # fmt: skip
FILES: dict[str, list[dict[str, Any]]] = {"openai": OPENAI, "responses": RESPONSES, "anthropic": ANTHROPIC}
EXPECTED = [[("system", "Be brief."), *pair("Bread?", "Baked.")]]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("step", [1, -1])
def test_answers_in_the_same_file_join_their_questions(tmp_path: Path, name: str, step: int) -> None:
    assert talks(saved(tmp_path, FILES[name][::step], lines=True)) == EXPECTED


@pytest.mark.parametrize("name", FILES)
def test_questions_alone_say_where_the_answers_are(tmp_path: Path, name: str) -> None:
    with pytest.raises(AgentError, match=r"1 question without its answer.*output file"):
        list(read_rows(saved(tmp_path, FILES[name][:1], lines=True)))


@pytest.mark.parametrize("name", FILES)
def test_answers_alone_say_where_the_questions_are(tmp_path: Path, name: str) -> None:
    with pytest.raises(AgentError, match=r"none of its questions.*input file"):
        list(read_rows(saved(tmp_path, FILES[name][1:] * 2, lines=True)))


def test_a_question_that_ends_with_its_answer_needs_no_other_file(tmp_path: Path) -> None:
    request: dict[str, Any] = {"custom_id": "1", "body": {"messages": [
        {"role": "user", "content": "Bread?"}, {"role": "assistant", "content": "Baked."}]}}  # fmt: skip
    assert talks(saved(tmp_path, [request] * 2, lines=True)) == [pair("Bread?", "Baked.")] * 2


def test_a_request_with_a_picture_is_dropped_alone(tmp_path: Path) -> None:
    picture = {"custom_id": "2", "body": {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}}
    path = saved(tmp_path, [*OPENAI, picture], lines=True)
    assert problems(path) == ["has a part of the kind 'image_url' in a turn, and only text is learned"]
