"""Posts.xml of a Stack Exchange dump: each question with the answer that was accepted, or else rated best.

https://meta.stackexchange.com/questions/2677. The file is read twice, as a stream; entities of its own are refused.
"""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn
from xml.parsers import expat

from agent.data.readers.containers import HEAD_BYTES, Upload
from agent.data.readers.decoding import Decoder
from agent.data.readers.exports.html_text import html_to_text
from agent.data.readers.exports.talk import pair_row
from agent.data.readers.raw_row import RawRow
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.language import _

QUESTION, ANSWER = "1", "2"


@dataclass(frozen=True, kw_only=True)
class _Post:
    line: int
    fields: dict[str, str]

    def __getitem__(self, name: str) -> str:
        return self.fields.get(name, "")


def is_dump(head: str) -> bool:
    """Say whether a text is such a file."""
    return "<posts" in head[:2000] and "PostTypeId=" in head


def read_dump(upload: Upload, _decoder: Decoder) -> Iterator[RawRow]:
    """Yield the questions that have an answer, as their answers come."""
    chosen = _chosen(upload)
    questions: dict[str, _Post] = {}
    early: dict[str, _Post] = {}  # answers that stand before their question
    for post in _posts(upload):
        if post["PostTypeId"] == QUESTION and post["Id"] in chosen:
            if answer := early.pop(post["Id"], None):
                yield _pair(post, answer)
            else:
                questions[post["Id"]] = post
        elif post["PostTypeId"] == ANSWER and chosen.get(post["ParentId"]) == post["Id"]:
            if question := questions.pop(post["ParentId"], None):
                yield _pair(question, post)
            else:
                early[post["ParentId"]] = post


def _chosen(upload: Upload) -> dict[str, str]:
    """Return the answer of each question."""
    accepted: dict[str, str] = {}
    best: dict[str, tuple[int, str]] = {}
    for post in _posts(upload):
        if post["PostTypeId"] == QUESTION and post["AcceptedAnswerId"]:
            accepted[post["Id"]] = post["AcceptedAnswerId"]
        elif post["PostTypeId"] == ANSWER and post["ParentId"]:
            score = int(post["Score"]) if post["Score"].removeprefix("-").isdecimal() else 0
            if score > best.get(post["ParentId"], (-1, ""))[0]:
                best[post["ParentId"]] = (score, post["Id"])
    return {question: answer for question, (_score, answer) in best.items()} | accepted


def _pair(question: _Post, answer: _Post) -> RawRow:
    asked = "\n\n".join(text for text in (question["Title"].strip(), html_to_text(question["Body"])) if text)
    return pair_row(RawRow(line=question.line, value={}), asked, html_to_text(answer["Body"]))


def _posts(upload: Upload) -> Iterator[_Post]:
    """Yield the posts of a dump as it is read. Raises AgentError where it is no XML, or brings entities of its own."""
    parser = expat.ParserCreate()
    found: list[_Post] = []

    def start(name: str, fields: dict[str, str]) -> None:
        if name == "row":
            found.append(_Post(line=parser.CurrentLineNumber, fields=fields))

    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = _refuse_entities
    with upload.open() as file:
        file.read(len(codecs.BOM_UTF8)) if upload.head.startswith(codecs.BOM_UTF8) else None
        while True:
            data = file.read(HEAD_BYTES)
            try:
                parser.Parse(data, not data)
            except expat.ExpatError as error:
                raise AgentError(
                    _(
                        "The XML is broken at line {line}, column {column}: {reason}. Export it again.",
                        line=error.lineno, column=error.offset, reason=expat.ErrorString(error.code),
                    ),
                    code=ErrorCode.dataset_broken,
                ) from error  # fmt: skip
            yield from found
            found.clear()
            if not data:
                return


def _refuse_entities(*_declared: object) -> NoReturn:
    raise AgentError(
        _("The XML declares a document type, which may hide anything. Export it without one."),
        code=ErrorCode.dataset_broken,
    )
