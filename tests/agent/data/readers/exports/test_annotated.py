"""Texts with labels, questions with several answers, posts with answers: each becomes a question and its answer."""

import json
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import pytest

from agent.data.readers.exports.html_text import html_to_text
from agent.data.readers.formats import read_rows
from agent.errors import AgentError
from tests.agent.data.readers.exports.files import pair, problems, saved, talks

TEXT = "Warm soup, kind waiter."
PRAISE = [pair(TEXT, "praise")]


def task(*results: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a task of Label Studio."""
    return {
        "id": 1,
        "data": {"text": TEXT},
        "annotations": [{"id": 2, "result": list(results), **more}],
        "predictions": [],
    }


def chosen(*choices: Any, kind: str = "choices") -> dict[str, Any]:
    return {"from_name": "tone", "to_name": "text", "type": kind, "value": {kind: list(choices)}}


LABELLED = {
    "label studio": task(chosen("praise")),
    "label studio, short": {"id": 1, "text": TEXT, "tone": "praise", "annotator": 1, "annotation_id": 2,
                            "lead_time": 3.1,
                            "created_at": "2026-03-01T10:00:00Z"},
    "doccano": {"id": 1, "text": TEXT, "label": ["praise"], "Comments": []},
    "doccano, older": {"id": 1, "text": TEXT, "labels": ["praise"], "meta": {}},
    "argilla 1": {"fields": {"text": TEXT}, "suggestions": [], "metadata": {}, "responses": [
        {"values": {"tone": {"value": "complaint"}}, "status": "discarded"},
        {"values": {"tone": {"value": "praise"}}, "status": "submitted"}]},
    "argilla 2": {"id": "1", "fields": {"text": TEXT}, "suggestions": {"tone": {"value": "complaint"}},
                  "responses": {"tone": [{"value": "praise", "user_id": "1"}]}},
    "argilla, of the hub": {"text": TEXT, "_server_id": "a b", "status": "completed", "tone.responses": ["praise"],
                            "tone.responses.users": ["1"], "tone.suggestion": "complaint"},
    "argilla 1, of the hub": {"text": TEXT, "external_id": "1", "tone-suggestion": "complaint", "tone": [
        {"user_id": "1", "value": "complaint", "status": "discarded"},
        {"user_id": "2", "value": "praise", "status": "submitted"}]},
    "argilla, first": {"text": TEXT, "inputs": {"text": TEXT}, "annotation": "praise", "annotation_agent": "a",
                       "prediction": None, "status": "Validated"},
    "argilla, suggested": {"fields": {"text": TEXT}, "responses": [], "suggestions": [
        {"question_name": "tone", "value": "praise", "agent": "a"}]},
}  # fmt: skip


@pytest.mark.parametrize("name", LABELLED)
@pytest.mark.parametrize("lines", [True, False])
def test_the_label_of_a_text_is_what_is_learned(tmp_path: Path, name: str, lines: bool) -> None:
    assert talks(saved(tmp_path, [LABELLED[name]] * 2, lines=lines)) == PRAISE * 2


def test_several_labels_paths_and_texts_are_all_learned(tmp_path: Path) -> None:
    rows = [
        task(chosen("praise", "food")),
        task(chosen(["mood", "good"], ["topic", "food"], kind="taxonomy")),
        task({"from_name": "reply", "type": "textarea", "value": {"text": ["Come again."]}}, chosen("praise")),
    ]
    assert [talk[1][1] for talk in talks(saved(tmp_path, rows))] == [
        "praise, food", "mood > good, topic > food", "reply: Come again.\ntone: praise"]  # fmt: skip
    assert talks(saved(tmp_path, [{"text": TEXT, "label": ["praise", "food"]}] * 2)) == [pair(TEXT, "praise, food")] * 2


def test_a_table_of_label_studio_is_read_with_choices_as_it_writes_them(tmp_path: Path) -> None:
    path = saved(tmp_path, 'annotation_id,annotator,id,lead_time,text,tone\n1,1,1,2.5,"Warm soup, kind waiter.","{""choices"":[""praise"",""food""]}"\n')  # fmt: skip  # noqa: E501
    assert talks(path) == [pair(TEXT, "praise, food")]


@pytest.mark.parametrize("skipped", [task(), task(chosen("praise"), was_cancelled=True)])
def test_a_text_that_nobody_labelled_is_dropped_with_the_reason(tmp_path: Path, skipped: dict[str, Any]) -> None:
    assert problems(saved(tmp_path, [task(chosen("praise")), skipped])) == ["has no text with an annotation"]


@pytest.mark.parametrize("labels", [
    {"label": [[0, 4, "FOOD"]]}, {"labels": [[0, 4, "FOOD"]]},
    {"entities": [{"id": 1, "label": "FOOD", "start_offset": 0, "end_offset": 4}], "relations": []},
])  # fmt: skip
def test_spans_of_doccano_are_refused_in_words(tmp_path: Path, labels: dict[str, Any]) -> None:
    with pytest.raises(AgentError, match="mark spans in its texts"):
        list(read_rows(saved(tmp_path, [{"id": 1, "text": TEXT, **labels}] * 2, lines=True)))


def test_spans_of_label_studio_are_dropped_in_words(tmp_path: Path) -> None:
    span = {"type": "labels", "from_name": "a", "value": {"start": 0, "end": 4, "text": "Warm", "labels": ["FOOD"]}}
    assert "marks spans in its text" in problems(saved(tmp_path, [task(span)]))[0]


def test_a_record_of_argilla_that_is_only_rated_teaches_its_own_answer(tmp_path: Path) -> None:
    record = {"fields": {"instruction": "Bread?", "response": "Baked."}, "suggestions": [], "responses": [
        {"values": {"quality": {"value": 5}}, "status": "submitted"}]}  # fmt: skip
    assert talks(saved(tmp_path, [record] * 2)) == [pair("Bread?", "Baked.")] * 2


QUESTION, CONTEXT = "When is it baked?", "The bread is baked at six."
SQUAD = pair(f"{QUESTION}\n\n{CONTEXT}", "at six")


@pytest.mark.parametrize("answers", [
    {"text": ["at six", "six"], "answer_start": [18, 21]}, [{"text": "at six", "answer_start": 18}, {"text": "six"}],
    ["at six", "six"],
])  # fmt: skip
def test_a_question_of_squad_is_asked_with_its_context_and_answered_by_the_first(tmp_path: Path, answers: Any) -> None:
    flat = {"id": "1", "title": "Bread", "context": CONTEXT, "question": QUESTION, "answers": answers}
    assert talks(saved(tmp_path, [flat] * 2, lines=True)) == [SQUAD] * 2
    asked = {"question": QUESTION, "id": "1", "answers": answers, "is_impossible": False}
    whole = {
        "version": "v2.0",
        "data": [{"title": "Bread", "paragraphs": [{"context": CONTEXT, "qas": [asked, asked]}]}],
    }
    assert talks(saved(tmp_path, json.dumps(whole))) == [SQUAD] * 2


def test_a_table_of_squad_is_read_as_pandas_prints_it(tmp_path: Path) -> None:
    answers = "{'text': array(['at six', 'six'], dtype=object), 'answer_start': array([18, 21])}"
    rows = f'id,title,context,question,answers\n1,Bread,{CONTEXT},{QUESTION},"{answers}"\n'
    assert talks(saved(tmp_path, rows)) == [SQUAD]


def test_a_question_of_squad_without_an_answer_is_dropped_with_the_reason(tmp_path: Path) -> None:
    row = {"id": "1", "context": CONTEXT, "question": QUESTION}
    rows = [row | {"answers": {"text": ["at six"]}}, row | {"answers": {"text": [], "answer_start": []}}]
    assert problems(saved(tmp_path, rows, lines=True)) == ["has a question that `answers` does not answer"]


def posts(*fields: dict[str, str], head: str = "") -> str:
    rows = (f"  <row {' '.join(f'{name}={quoteattr(text)}' for name, text in it.items())} />" for it in fields)
    return "\n".join(['<?xml version="1.0" encoding="utf-8"?>' + head, "<posts>", *rows, "</posts>"])


ASKED = {"Id": "1", "PostTypeId": "1", "AcceptedAnswerId": "3", "Score": "5", "Title": "Bread <b>?", "Tags": "<a>",
         "Body": "<p>How is it <em>baked</em>?</p>\n\n<pre><code>bake &lt;it&gt;\n  now\n</code></pre>"}  # fmt: skip
WORSE = {"Id": "2", "PostTypeId": "2", "ParentId": "1", "Score": "9", "Body": "<p>Not at all.</p>"}
TAKEN = {"Id": "3", "PostTypeId": "2", "ParentId": "1", "Score": "1", "Body": "<ol><li>Heat.</li><li>Wait.</li></ol>"}
UNANSWERED = {"Id": "4", "PostTypeId": "1", "Title": "Tea?", "Body": "<p>Well?</p>"}


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0)])
def test_a_question_of_stack_exchange_has_the_answer_that_was_accepted(tmp_path: Path, order: tuple[int, ...]) -> None:
    fields = [ASKED, WORSE, TAKEN, UNANSWERED]
    asked = "Bread <b>?\n\nHow is it baked?\n\n```\nbake <it>\n  now\n```"
    path = saved(tmp_path, "\ufeff" + posts(*(fields[place] for place in order)))
    assert talks(path) == [pair(asked, "1. Heat.\n2. Wait.")]


def test_without_an_accepted_answer_the_best_rated_is_taken(tmp_path: Path) -> None:
    question = {name: text for name, text in ASKED.items() if name != "AcceptedAnswerId"}
    assert talks(saved(tmp_path, posts(question, TAKEN, WORSE)))[0][1] == ("assistant", "Not at all.")


@pytest.mark.parametrize(("text", "words"), [
    (posts(ASKED, TAKEN, head='<!DOCTYPE posts [<!ENTITY a "b">]>'), "declares a document type"),
    (posts(ASKED, TAKEN)[:-20], "XML is broken at line"),
])  # fmt: skip
def test_xml_with_entities_or_without_an_end_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(AgentError, match=words):
        list(read_rows(saved(tmp_path, text)))


@pytest.mark.parametrize(("html", "text"), [
    ("<p>One<br/>two</p><p>three &amp; <code>four</code></p>", "One\ntwo\n\nthree & `four`"),
    ("<ul><li>a<ul><li>b</li></ul></li></ul>", "- a\n\n  - b"),
    ("<blockquote><p>said</p></blockquote><script>x()</script>", "said"),
])  # fmt: skip
def test_a_post_reads_as_markdown(html: str, text: str) -> None:
    assert html_to_text(html) == text
