"""Talks with an assistant, as its program exports them, become rows of messages."""

from pathlib import Path
from typing import Any

import pytest

from agent.data.readers.formats import read_rows
from tests.agent.data.readers.exports.files import Talk, first_turns, pair, problems, saved, talks


def node(name: str, parent: str | None, children: list[str], **message: Any) -> dict[str, Any]:
    """Return a node of ChatGPT's tree."""
    content = {"content_type": message.pop("kind", "text"), "parts": message.pop("parts", [])}
    said = {"author": {"role": message.pop("role")}, "content": content, "recipient": "all", "metadata": {}, **message}
    return {name: {"id": name, "parent": parent, "children": children, "message": said}}


def chatgpt() -> dict[str, Any]:
    mapping: dict[str, Any] = {"root": {"id": "root", "message": None, "parent": None, "children": ["s"]}}
    mapping |= node("s", "root", ["u"], role="system", parts=[""], metadata={"is_visually_hidden_from_conversation": True})  # fmt: skip  # noqa: E501
    mapping |= node("u", "s", ["old", "t"], role="user", kind="multimodal_text",
                    parts=[{"content_type": "image_asset_pointer", "asset_pointer": "file://a"}, "What is this?"])  # fmt: skip  # noqa: E501
    mapping |= node("old", "u", [], role="assistant", parts=["A first try."])
    mapping |= node("t", "u", ["c"], role="assistant", kind="thoughts", parts=[])
    mapping |= node("c", "t", ["r"], role="assistant", kind="code", parts=["look()"], recipient="browser")
    mapping |= node("r", "c", ["a"], role="tool", kind="tether_browsing_display", parts=["found"])
    mapping |= node("a", "r", ["b"], role="assistant", parts=["It is a toaster."])
    mapping |= node("b", "a", [], role="assistant", parts=["", "And it is warm."])
    return {"title": "Toaster", "create_time": 1.7e9, "mapping": mapping, "current_node": "b", "conversation_id": "1"}


@pytest.mark.parametrize("without", ["nothing", "current_node"])
@pytest.mark.parametrize("lines", [True, False])
def test_chatgpt_is_read_along_the_answers_that_are_shown(tmp_path: Path, without: str, lines: bool) -> None:
    row = chatgpt()
    row.pop(without, None)
    row["mapping"]["b"]["message"]["create_time"] = 1.7e9
    path = saved(tmp_path, [row, chatgpt()], lines=lines)
    assert talks(path) == [pair("What is this?", "It is a toaster.\n\nAnd it is warm.")] * 2


def test_what_chatgpt_looked_up_thought_and_replaced_stays_beside_the_talk_to_be_named(tmp_path: Path) -> None:
    row = chatgpt()
    row["mapping"]["t"]["message"]["content"] = {"content_type": "thoughts", "thoughts": [{"content": "Warm, then."}]}
    found = next(read_rows(saved(tmp_path, [row]))).value or {}
    assert {key: text for key, text in found.items() if key.startswith("mapping")} == {
        "mapping.assistant": "A first try.", "mapping.thoughts": "Warm, then.", "mapping.code": "look()",
        "mapping.tether_browsing_display": "found"}  # fmt: skip
    assert "s" not in found, "a hidden message was shown to nobody"


def test_what_claude_was_told_by_a_tool_stays_beside_the_talk_to_be_named(tmp_path: Path) -> None:
    told = {"type": "tool_result", "content": [{"type": "text", "text": "Warm toast."}]}
    messages = [{"sender": "human", "text": "And?"}, {"sender": "assistant", "text": "Warm.", "content": [told]}]
    found = next(read_rows(saved(tmp_path, [{"chat_messages": messages}]))).value or {}
    assert found["chat_messages.content.tool_result"] == "Warm toast."


def test_nodes_in_a_circle_end_a_talk_of_chatgpt(tmp_path: Path) -> None:
    row = chatgpt()
    row["mapping"]["s"]["parent"] = "b"
    assert talks(saved(tmp_path, [row])) == [pair("What is this?", "It is a toaster.\n\nAnd it is warm.")]


def test_claude_is_read_with_what_was_attached_and_thought(tmp_path: Path) -> None:
    messages = [
        {"uuid": "1", "text": "", "sender": "human", "content": [{"type": "text", "text": "What does it say?"}],
         "attachments": [{"file_name": "a.txt", "extracted_content": "Toast is ready."}], "files": []},
        {"uuid": "2", "text": "Ignored copy.", "sender": "assistant", "content": [
            {"type": "thinking", "thinking": "Toast, then."}, {"type": "tool_use", "name": "look", "input": {}},
            {"type": "text", "text": "That toast is ready."}]},
        {"uuid": "3", "text": "Thanks, and now?", "sender": "human", "attachments": []},
        {"uuid": "4", "text": "Eat it.", "sender": "assistant"},
    ]  # fmt: skip
    whole = {"uuid": "0", "name": "Toast", "account": {"uuid": "9"}, "chat_messages": messages}
    expected: Talk = [
        *pair("What does it say?\n\nToast is ready.", "That toast is ready."),
        *pair("Thanks, and now?", "Eat it."),
    ]
    assert talks(saved(tmp_path, [whole])) == [expected]
    path = saved(tmp_path, whole)
    assert talks(path) == [expected]
    assert first_turns(path)[1]["reasoning_content"] == "Toast, then."


def roleplay(**first: Any) -> list[dict[str, Any]]:
    return [
        {"user_name": "Mia", "character_name": "Captain Ruth", "create_date": "2026-3-1", "chat_metadata": {}, **first},
        {"name": "Captain Ruth", "is_user": False, "is_system": False, "mes": "Ahoy, {{user}}. {{Char}} here."},
        {"name": "Note", "is_user": False, "is_system": True, "mes": "The chat was saved."},
        {"name": "Mia", "is_user": True, "is_system": False, "mes": "Where to?", "send_date": 1_700_000_000},
        {"name": "Captain Ruth", "is_user": False, "mes": "North.", "swipe_id": 1, "swipes": ["South.", "North."],
         "extra": {"reasoning": "She wants to go north."}},
    ]  # fmt: skip


ROLEPLAY: Talk = [("assistant", "Ahoy, Mia. Captain Ruth here."), *pair("Where to?", "North.")]


@pytest.mark.parametrize("names", [{}, {"user_name": "unused", "character_name": "unused"}])
def test_a_log_of_roleplay_is_one_talk(tmp_path: Path, names: dict[str, str]) -> None:
    path = saved(tmp_path, roleplay(**names), lines=True)
    assert talks(path) == [ROLEPLAY]
    assert first_turns(path)[2]["reasoning_content"] == "She wants to go north."


def test_logs_of_roleplay_in_one_file_stay_apart_and_need_no_header(tmp_path: Path) -> None:
    path = saved(tmp_path, [*roleplay()[1:], *roleplay()], lines=True)
    assert talks(path) == [ROLEPLAY, ROLEPLAY]


def test_several_characters_of_roleplay_keep_their_names(tmp_path: Path) -> None:
    rows = [*roleplay(), {"name": "Bo", "is_user": False, "mes": "Aye, {{char}} agrees."}]
    last = "Captain Ruth: North.\n\nBo: Aye, Bo agrees."
    assert talks(saved(tmp_path, rows, lines=True))[0][-1] == ("assistant", last)


@pytest.mark.parametrize(("internal", "visible"), [("internal", "visible"), ("data", "data_visible")])
def test_a_log_of_the_webui_is_read_as_the_model_saw_it(tmp_path: Path, internal: str, visible: str) -> None:
    pairs = [["<|BEGIN-VISIBLE-CHAT|>", "Ahoy!"], ["Is 1 < 2?", "Yes, 1 < 2."]]
    shown = [["", "Ahoy!"], ["Is 1 &lt; 2?", "Yes, 1 &lt; 2."]]
    path = saved(tmp_path, {internal: pairs, visible: shown, "metadata": {}})
    assert talks(path) == [[("assistant", "Ahoy!"), *pair("Is 1 < 2?", "Yes, 1 < 2.")]]


def tree() -> dict[str, Any]:
    def message(key: str, role: str, text: str, *replies: Any, rank: int | None = None) -> dict[str, Any]:
        return {"message_id": key, "role": role, "text": text, "rank": rank, "replies": list(replies)}

    further = message("5", "prompter", "And tea?", message("6", "assistant", "Brewed."))
    return {"message_tree_id": "1", "tree_state": "ready_for_export", "prompt": message(
        "1", "prompter", "Bread?",
        message("2", "assistant", "No.", message("4", "prompter", "Why?"), rank=1),
        message("3", "assistant", "Baked.", message("7", "prompter", "Oh."), further, rank=0),
    )}  # fmt: skip


def flat(message: dict[str, Any], parent: str | None = None) -> list[dict[str, Any]]:
    """Return the messages of a tree one by one, as the flat files have them."""
    row = {key: message[key] for key in ("message_id", "role", "text", "rank")} | {"parent_id": parent}
    return [row, *(it for reply in message["replies"] for it in flat(reply, message["message_id"]))]


@pytest.mark.parametrize("rows", [[tree()], flat(tree()["prompt"]), flat(tree()["prompt"])[::-1]])
def test_the_best_ranked_talk_of_an_openassistant_tree_is_learned(tmp_path: Path, rows: list[Any]) -> None:
    assert talks(saved(tmp_path, rows, lines=True)) == [[*pair("Bread?", "Baked."), *pair("And tea?", "Brewed.")]]


@pytest.mark.parametrize("row", [
    {"conversation": [
        {"system": "Be brief.", "input": "Bread?", "output": "Baked."}, {"input": "Tea?", "output": "Brewed."}]},
    {"contents": [
        {"role": "user", "parts": [{"text": "Bread?"}]}, {"role": "model", "parts": [{"text": "Baked."}]},
        {"parts": [{"text": "Tea?"}]}, {"role": "model", "parts": [{"text": "Brewed."}]}],
     "system_instruction": {"parts": [{"text": "Be brief."}]}, "generationConfig": {"temperature": 1}},
    {"systemInstruction": {"parts": [{"text": "Be brief."}]}, "runSettings": {}, "chunkedPrompt": {"chunks": [
        {"text": "Bread?", "role": "user"}, {"text": "Hm.", "role": "model", "isThought": True},
        {"text": "Baked.", "role": "model"}, {"text": "Tea?", "role": "user"}, {"text": "Brewed.", "role": "model"}]}},
    {"context": "Be brief.", "messages": [
        {"author": "user", "content": "Bread?"}, {"author": "bot", "content": "Baked."},
        {"author": "user", "content": "Tea?"}, {"author": "bot", "content": "Brewed."}]},
    {"schemaVersion": "bedrock-conversation-2024", "system": [{"text": "Be brief."}], "messages": [
        {"role": "user", "content": [{"text": "Bread?"}]}, {"role": "assistant", "content": [{"text": "Baked."}]},
        {"role": "user", "content": [{"text": "Tea?"}]}, {"role": "assistant", "content": [{"text": "Brewed."}]}]},
], ids=["xtuner", "gemini", "ai studio", "palm", "bedrock"])  # fmt: skip
@pytest.mark.parametrize("lines", [True, False])
def test_a_row_of_a_tuning_service_keeps_its_system_text_and_all_turns(tmp_path: Path, row: Any, lines: bool) -> None:
    path = saved(tmp_path, [row, row] if lines else row, lines=lines)
    expected = [("system", "Be brief."), *pair("Bread?", "Baked."), *pair("Tea?", "Brewed.")]
    assert talks(path)[0] == expected


@pytest.mark.parametrize("row", [
    {"text_input": "Bread?", "output": "Baked."}, {"input_text": "Bread?", "output_text": "Baked."},
    {"id": "0", "data": ["Bread?", "Baked."]},
])  # fmt: skip
def test_two_texts_of_a_row_are_question_and_answer(tmp_path: Path, row: Any) -> None:
    assert talks(saved(tmp_path, [row] * 3, lines=True)) == [pair("Bread?", "Baked.")] * 3


def test_ultrafeedback_is_answered_by_the_completion_rated_best(tmp_path: Path) -> None:
    def rated(text: str, overall: float, helpful: str) -> dict[str, Any]:
        return {"model": "a", "response": text, "overall_score": overall,
                "annotations": {"helpfulness": {"Rating": helpful, "Rationale": "It helps."}}}  # fmt: skip

    row = {"source": "a", "instruction": "Bread?", "models": ["a", "b", "c"], "correct_answers": ["None"],
           "completions": [rated("No.", 2, "1"), rated("Well baked.", 8, "5"), rated("Baked.", 8, "4")]}  # fmt: skip
    assert talks(saved(tmp_path, [row] * 2, lines=True)) == [pair("Bread?", "Well baked.")] * 2


def test_a_picture_in_a_turn_drops_its_row_with_the_reason(tmp_path: Path) -> None:
    parts = [{"text": "What is this?"}, {"inlineData": {"mimeType": "image/png", "data": ""}}]
    row = {"contents": [{"role": "user", "parts": parts}, {"role": "model", "parts": [{"text": "Toast."}]}]}
    assert (
        problems(saved(tmp_path, [row] * 2, lines=True))
        == ["has a part of the kind 'inlineData' in a turn, and only text is learned"] * 2
    )
