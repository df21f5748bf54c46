"""A talk that was rendered into one text, by a chat template or by hand: its turns, read back. Pure."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from agent.data.turns import KNOWN_ROLES, Role

ASKS = (  # as labels
    "human", "user", "you", "question", "frage", "q", "f", "input", "instruction", "prompter", "customer", "kunde",
)  # fmt: skip
TELLS = (
    "assistant", "ai", "bot", "chatbot", "chatgpt", "gpt", "claude", "model", "answer", "antwort", "response", "agent",
    "a",
)  # fmt: skip
SYSTEM = ("system",)
LABEL_ROLES: Mapping[str, Role] = {
    **dict.fromkeys(ASKS, "user"),
    **dict.fromkeys(TELLS, "assistant"),
    **dict.fromkeys(SYSTEM, "system"),
}
HASH_ROLES: Mapping[str, Role] = {**LABEL_ROLES, "context": "user", "output": "assistant"}
MARKER_ROLES: Mapping[str, Role] = {**KNOWN_ROLES, "ipython": "tool"}
NAMED = frozenset({"you", "user", "human"})  # who talks to somebody who has a name
_BOTS = frozenset({"assistant", "ai", "bot", "chatbot", "chatgpt", "gpt", "claude", "model", "agent"})
PARTNERS: Mapping[str, frozenset[str]] = {  # of a label that asks, those that answer it
    **dict.fromkeys(("human", "user", "you", "prompter", "customer", "kunde"), _BOTS),
    "question": frozenset({"answer"}),
    "frage": frozenset({"antwort"}),
    "q": frozenset({"a"}),
    "f": frozenset({"a"}),
    "instruction": frozenset({"response", "answer", "output"}),
}
BETWEEN = frozenset({"input", "context"})  # belongs to the instruction before it


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One turn, and where its mark begins in the text."""

    role: Role
    text: str
    at: int
    is_marked: bool = True  # else it stands before the first mark


@dataclass(frozen=True, kw_only=True)
class Frame:
    """How the turns of a text are marked."""

    mark: re.Pattern[str]  # its last group that takes part says whose turn it is
    roles: Mapping[str, Role]
    by_word: bool = False  # a mark is a word that may as well stand in what somebody says


ENDS = (  # of a turn, and of the text before it
    "<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|end_of_text|>", "<|endoftext|>", "<|end|>", "<|eot|>",
    "<end_of_turn>", "<eos>", "</s>", "<s>", "<｜end▁of▁sentence｜>", "[/SYSTEM_PROMPT]",
)  # fmt: skip
BEGINS = ("<|begin_of_text|>", "<|endoftext|>", "<s>", "<bos>", "<｜begin▁of▁sentence｜>", "[SYSTEM_PROMPT]")
SYS, END_OF_SYS = "<<SYS>>", "<</SYS>>"
MARKERS = Frame(
    mark=re.compile(
        r"<\|im_start\|>[ \t]*([\w-]+)[ \t]*\n?|<\|start_header_id\|>[ \t]*(\w+)[ \t]*<\|end_header_id\|>"
        r"|<\|header_start\|>(\w+)<\|header_end\|>|<start_of_turn>[ \t]*(\w+)[ \t]*\n?"
        r"|<\|(system|user|assistant|prompter|tool|observation)\|>|<｜(User|Assistant)｜>"
    ),
    roles=MARKER_ROLES,
)
INST = Frame(mark=re.compile(r"(\[/?INST\])"), roles={"[inst]": "user", "[/inst]": "assistant"})
HASHES = Frame(
    mark=re.compile(
        rf"(?:(?:^|(?<=\n))#{{2,4}} ?|### ?(?=human|assistant))({'|'.join(sorted(HASH_ROLES, key=len, reverse=True))})"
        r"(?:[ \t]*:|[ \t]*(?=\n|\Z))",
        re.IGNORECASE,
    ),
    roles=HASH_ROLES,
    by_word=True,
)
LABELS = Frame(
    mark=re.compile(
        r"(?:^|(?<=\n))[ \t]*(?:[-*>][ \t]+|\d{1,4}[.)][ \t]+)?(?:\*\*|__)?"
        rf"({'|'.join(sorted(LABEL_ROLES, key=len, reverse=True))})"
        r"(?:[ \t]?\d{1,4})?(?:\*\*|__)?[ \t]*:(?:\*\*|__)?(?:[ \t]+|(?=\n|\Z))",
        re.IGNORECASE,
    ),
    roles=LABEL_ROLES,
    by_word=True,
)
_INLINE = re.compile(  # the same on one line
    rf"\s({'|'.join(sorted(TELLS, key=len, reverse=True))})[ \t]*:[ \t]+", re.IGNORECASE
)
_NAME = re.compile(r"(?:^|(?<=\n))([^\W\d_][\w.'’ -]{0,29}):(?:[ \t]+|(?=\n|\Z))")
EXCHANGES = 2  # with somebody who has a name, for it to be a talk
PREAMBLE_CHARS = 4000  # what stands before the first turn is the system's text; more of it is no preamble


def turns_in(text: str) -> list[Turn]:
    """Return the turns of a text that is a whole talk, with an empty last one where it waits for an answer; else none.

    Somebody must be asked in it, and somebody answer.
    """
    for frame in (MARKERS, INST, HASHES, LABELS):
        turns = _parted(text, frame)
        if _is_talk(turns):
            return turns
    turns = _parted_on_one_line(text) or _parted_by_name(text)
    return turns if _is_talk(turns) else []


def as_messages(turns: list[Turn]) -> list[dict[str, str]]:
    """Return turns as messages; what one says in several is one, and what is empty is none."""
    messages: list[dict[str, str]] = []
    for turn in turns:
        if messages and messages[-1]["role"] == turn.role and turn.role != "tool":
            messages[-1]["content"] = f"{messages[-1]['content']}\n\n{turn.text}".strip()
        else:
            messages.append({"role": turn.role, "content": turn.text})
    return messages


def without_end(text: str) -> str:
    """Return an answer without the marks behind it."""
    end = len(text)
    while True:
        while end and text[end - 1].isspace():
            end -= 1
        mark = next((mark for mark in ENDS if text.endswith(mark, 0, end)), None)
        if mark is None:
            return text[:end].lstrip()
        end -= len(mark)


def _without_begin(text: str) -> str:
    begin = 0
    while True:
        while text[begin : begin + 1].isspace():
            begin += 1
        mark = next((mark for mark in BEGINS if text.startswith(mark, begin)), None)
        if mark is None:
            return text[begin:]
        begin += len(mark)


def _is_talk(turns: list[Turn]) -> bool:
    roles = [turn.role for turn in turns]
    return "user" in roles and "assistant" in roles[roles.index("user") :]


def _parted(text: str, frame: Frame) -> list[Turn]:
    marks = [(found.start(), found.end(), found[found.lastindex or 0]) for found in frame.mark.finditer(text)]
    marks = _of_one_talk(marks) if frame.by_word else marks
    return _turns(text, marks, frame) if marks else []


def _of_one_talk(marks: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Return the marks of the two who open a talk; any other label stands in what one of them says."""
    words = [whose.casefold() for _at, _end, whose in marks]
    asks = next((word for word in words if word in PARTNERS), None)
    tells = next((word for word in words if word in PARTNERS.get(asks or "", frozenset())), None)
    kept: list[tuple[int, int, str]] = []
    for mark, word in zip(marks, words, strict=True):
        is_between = word in BETWEEN and asks == "instruction" and bool(kept) and kept[-1][2].casefold() == asks
        if word in {asks, tells, *SYSTEM} or is_between:
            kept.append(mark)
    return kept


def _turns(text: str, marks: list[tuple[int, int, str]], frame: Frame) -> list[Turn]:
    """Return what stands behind each mark; none where one is nobody's, or the first comes late."""
    if any(whose.casefold() not in frame.roles for _at, _end, whose in marks) or marks[0][0] > PREAMBLE_CHARS:
        return []
    preamble = without_end(_without_begin(text[: marks[0][0]]))
    turns = [Turn(role="system", text=preamble, at=0, is_marked=False)] if preamble else []
    limits = [*(at for at, _end, _whose in marks[1:]), len(text)]
    for (at, end, whose), limit in zip(marks, limits, strict=True):
        role, said = frame.roles[whose.casefold()], without_end(text[end:limit])
        if said.startswith(SYS) and END_OF_SYS in said:
            instructions, _mark, said = said.removeprefix(SYS).partition(END_OF_SYS)
            turns.append(Turn(role="system", text=instructions.strip(), at=at))
        turns.append(Turn(role=role, text=said.strip(), at=at))
    return turns


def _parted_on_one_line(text: str) -> list[Turn]:
    """Read one question and its answer on one line; a second such word would leave open which is whose."""
    first = LABELS.mark.match(text.lstrip())
    told = list(_INLINE.finditer(text))
    told = [found for found in told if first and found[1].casefold() in PARTNERS.get(first[1].casefold(), frozenset())]
    if first is None or len(told) != 1:
        return []
    begin = len(text) - len(text.lstrip())
    marks = [(begin, begin + first.end(), first[1]), (told[0].start(), told[0].end(), told[0][1])]
    return _turns(text, marks, LABELS) if marks[0][1] <= marks[1][0] else []


def _parted_by_name(text: str) -> list[Turn]:
    """Read a talk with somebody who has a name: the only one beside You, User or Human."""
    marks = [(found.start(), found.end(), found[1]) for found in _NAME.finditer(text)]
    names = Counter(whose for _at, _end, whose in marks)
    asks = [name for name in names if name.casefold() in NAMED]
    others = [name for name in names if name not in asks]
    if len(asks) != 1 or len(others) != 1 or marks[0][0] > 0:
        return []
    if asks[0].casefold() != "you" and min(names.values()) < EXCHANGES:  # “User: root, Host: home” is none
        return []
    roles: dict[str, Role] = {asks[0].casefold(): "user", others[0].casefold(): "assistant"}
    return _turns(text, marks, Frame(mark=_NAME, roles=roles))
