"""A text file of questions and answers, or of a talk with marks or names before its turns, as rows of turns."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace

from agent.data.readers.containers import Upload
from agent.data.readers.decoding import Decoder
from agent.data.readers.json_rows import MAX_JSON_BYTES
from agent.data.readers.plain_text import read_pieces
from agent.data.readers.raw_row import RawRow
from agent.data.readers.rendered import Turn, as_messages, turns_in
from agent.data.readers.talks import TURNS
from agent.data.split_sizes import MIN_ROWS
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.language import _

FEW = 0.1  # of the turns
FEWEST = 3  # questions with an answer, in the beginning of a file that is a talk
_RULE = r"\n[ \t]*(?:-{3,}|\*{3,}|={3,}|#{3,})[ \t]*\n"
_APART = re.compile(rf"(?:\n[ \t]*\n\s*|{_RULE}\s*|(?:<s>|<\|endoftext\|>)\s*)\Z")
_RULE_BEHIND = re.compile(r"\n[ \t]*(?:-{3,}|\*{3,}|={3,}|#{3,})\Z")
_QUESTION = re.compile(r"[\s#>*_-]*(?:\d+[.)])?[\s*_]*(?:q|question|f|frage|instruction|input)\b", re.IGNORECASE)
BEFORE = 200  # characters, looked at for what parts two talks


def looks_rendered(head: str) -> bool:
    """Say whether a text is a talk, by its beginning. Where its parts stand in quotes, it is a table."""
    roles = [turn.role for turn in turns_in(head)]
    asked = sum(role == "user" and then == "assistant" for role, then in itertools.pairwise(roles))
    return asked >= FEWEST and sum(line.startswith('"') for line in head.splitlines()) < asked


def read_rendered_text(upload: Upload, decoder: Decoder) -> Iterator[RawRow]:
    """Yield the talks of a file. Raises AgentError where it is too large."""
    content = upload.read(MAX_JSON_BYTES)
    if content is None:
        raise AgentError(
            _("A text of talks may have {limit} MiB, this one has more. Split it up.", limit=MAX_JSON_BYTES >> 20),
            code=ErrorCode.file_too_large,
        )
    text = decoder.whole(content).replace("\r\n", "\n")
    lines = at = 0
    turns = turns_in(text)
    if not turns:  # its beginning looked like a talk, and the whole is none
        yield from read_pieces(upload, decoder)
        return
    before, *turns = turns
    if before.is_marked:
        turns = [before, *turns]
    else:  # it belongs to the file, not to its first talk
        yield RawRow(
            line=1, value=None, problem=_("and what follows stand before the first question, and are left out")
        )
    for talk in split_talks(text, turns):
        lines += text.count("\n", at, talk[0].at)
        at = talk[0].at
        yield RawRow(line=lines + 1, value={"messages": as_messages(talk)})


def split_talks(text: str, turns: list[Turn]) -> list[list[Turn]]:
    """Return the talks of a text.

    Empty lines or rules part them, unless these stand before answers as well; else each question begins one, or, where
    somebody speaks with somebody, some turns are one.
    """
    apart = [_APART.search(text[max(0, turn.at - BEFORE) : turn.at]) is not None for turn in turns]
    before_answers = sum(it for it, turn in zip(apart, turns, strict=True) if turn.role == "assistant")
    tells = any(apart[1:]) and before_answers <= FEW * len(turns)
    longest = max(2, min(TURNS, len(turns) // MIN_ROWS))
    talks: list[list[Turn]] = []
    for turn, is_apart in zip(turns, apart, strict=True):
        last = talks[-1] if talks else []
        ended = not last or (last[-1].role == "assistant" and turn.role in {"user", "system"})
        is_question = _QUESTION.match(text, turn.at) is not None or turn.role == "system"
        if ended and (not last or (is_apart if tells else is_question or len(last) >= longest)):
            talks.append([])
        talks[-1].append(turn)
    return [[*talk[:-1], replace(talk[-1], text=_RULE_BEHIND.sub("", talk[-1].text).rstrip())] for talk in talks]
