"""What a chat template can say and what it refuses, found by rendering small talks with it. Pure but for the template.

A template is a program, and nothing else says what it does: some know no system turn, some want question and answer in
turn, some show earlier answers otherwise than the model wrote them, some drop the thoughts.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from agent.data import tools
from agent.data.turns import Message, RowProblem

Render = Callable[..., str]  # ChatTemplate.render: messages, add_generation_prompt, thinking

ASKED, ASKED_AGAIN, ANSWERED, ANSWERED_AGAIN = "Asked-1", "Asked-2", "Told-1", "Told-2"
SYSTEM, SYSTEM_AGAIN, LATE, THOUGHT, GREETED = "System-1", "System-2", "System-3", "Thought-1", "Greeted-1"
_WORDS = re.compile(r"[^\W\d_]{2,} [^\W\d_]{2,}")
OPEN, CLOSE = "<think>", "</think>"
CALL = Message(role="assistant", content="", calls=json.dumps(tools.PROBE_CALLS))
RESULT = Message(role="tool", content=tools.RESULT)


@dataclass(frozen=True, kw_only=True)
class Habits:
    """What one chat template does."""

    in_pieces: bool  # a content is a list of pieces, each a text or a picture
    takes_system: bool
    takes_later_systems: bool  # also behind the first turn, and more than one
    takes_greeting: bool  # an answer before the first question
    learns_greeting: bool  # and that can be learned, too
    takes_repeats: bool  # two turns of one speaker in a row
    keeps_answers: bool  # earlier answers stand in a talk as the model wrote them
    keeps_tools: bool  # what is offered stands where it stood, however the talk goes on
    keeps_calls: bool  # a call, too, stands in a talk as the model wrote it
    shows_thoughts: bool  # of the last answer, or its prompt asks for them
    opening: str  # in front of an answer, as far as it stands there in a whole talk, too
    earlier_opening: str  # the same, in front of an answer that is not the last
    asks_for_thoughts: str  # what the prompt adds to that, where the model is to think: "<think>\n"
    asks_for_none: str  # the same, where it is not
    goes_on: str  # what stands between an answer and the next question
    own_system: str  # the system text of a talk without one; empty: there is none
    begins_with_words: bool  # a talk without one begins with words, as its system text or otherwise


def shows_texts(render: Render) -> bool:
    """Say whether a template shows contents that are texts; some of models that see pictures show lists alone."""
    question, answer = Message(role="user", content=ASKED), Message(role="assistant", content=ANSWERED)
    return _Text(render, ()).shows([question, answer], ASKED, ANSWERED)


def find_habits(render: Render, eos_tokens: Sequence[str], *, in_pieces: bool = False) -> Habits:
    """Find out what a template does. One that refuses even one question and its answer has no habits worth naming."""
    question, again = Message(role="user", content=ASKED), Message(role="user", content=ASKED_AGAIN)
    answer, answer_again = (
        Message(role="assistant", content=ANSWERED),
        Message(role="assistant", content=ANSWERED_AGAIN),
    )
    greeting = Message(role="assistant", content=GREETED)
    told, told_again, told_late = (Message(role="system", content=text) for text in (SYSTEM, SYSTEM_AGAIN, LATE))
    thinks, thinks_again = replace(answer, thoughts=THOUGHT), replace(answer_again, thoughts=THOUGHT)
    talk, thoughtful = [question, answer, again, answer_again], [question, thinks, again, thinks_again]
    text = _Text(render, eos_tokens)
    opening, asks_for_none = text.opening(question, answer, thinking=False)
    asks_for_thoughts = text.opening(question, thinks, thinking=True)[1]
    keeps_answers = text.keeps_first_answer(talk) and text.keeps_first_answer(thoughtful)
    takes_greeting = text.shows([greeting, *talk], GREETED, ASKED, ANSWERED)
    two_at_once, late = [told, told_again, question, answer], [question, answer, told_late, again]
    repeated = [question, again, answer, answer_again]
    earlier = text.of(talk).partition(ASKED)[2].partition(ANSWERED)[0]
    return Habits(
        in_pieces=in_pieces,
        takes_system=text.shows([told, question, answer], SYSTEM, ASKED),
        takes_later_systems=text.shows(two_at_once, SYSTEM, SYSTEM_AGAIN)
        and LATE in text.of(late).rpartition(ANSWERED)[2]
        and text.of(late).partition(ASKED)[0] == text.of([question]).partition(ASKED)[0],  # some lose their own then
        takes_greeting=takes_greeting,
        learns_greeting=takes_greeting and text.shows([greeting], GREETED),
        takes_repeats=text.shows(repeated, *(message.content for message in repeated))
        and text.of(repeated).startswith(text.of(repeated[:-1], prompt=True).removesuffix(asks_for_none)),
        keeps_answers=keeps_answers,
        keeps_tools=text.keeps_tools(talk),
        keeps_calls=text.keeps_first_answer([question, CALL, RESULT, answer], said=tools.NAME),
        shows_thoughts=text.shows([question, thinks], THOUGHT, ANSWERED, thinking=True) or OPEN in asks_for_thoughts,
        opening=opening,
        earlier_opening=earlier.removeprefix(text.of([question]).rpartition(ASKED)[2]),
        asks_for_thoughts=asks_for_thoughts,
        asks_for_none=asks_for_none,
        goes_on=text.of(talk).partition(ANSWERED)[2].partition(ASKED_AGAIN)[0],
        own_system=text.own_system(told, question),
        begins_with_words=_WORDS.search(text.of([question]).partition(ASKED)[0]) is not None,
    )


class _Text:
    """Renders talks; one that is refused is empty."""

    def __init__(self, render: Render, eos_tokens: Sequence[str]) -> None:
        self._render = render
        self._eos_tokens = eos_tokens

    def of(self, messages: list[Message], *, prompt: bool = False, thinking: bool = False) -> str:
        try:
            return self._render(messages, add_generation_prompt=prompt, thinking=thinking)
        except RowProblem:
            return ""

    def shows(self, messages: list[Message], *said: str, thinking: bool = False) -> bool:
        text = self.of(messages, thinking=thinking)
        return all(words in text for words in said)

    def keeps_first_answer(self, talk: list[Message], *, said: str = ANSWERED) -> bool:
        """Say whether a whole talk has its first answer, with its end of turn, as it was when it was the last."""
        thinking = bool(talk[1].thoughts)
        whole, alone = self.of(talk, thinking=thinking), self.of(talk[:2], thinking=thinking)
        prompt = self.of(talk[:1], prompt=True, thinking=thinking)
        over = alone.rfind(said) + len(said)
        ends = [alone.find(token, over) + len(token) for token in self._eos_tokens if token in alone[over:]]
        return bool(ends) and alone.startswith(prompt) and whole.startswith(alone[: min(ends)])

    def keeps_tools(self, talk: list[Message]) -> bool:
        """Say whether a whole talk offers tools where its first question did; one without a place for them does."""
        offered = [replace(talk[0], tools=json.dumps(tools.PROBE_TOOLS)), *talk[1:]]
        prompt = self.of(offered[:1], prompt=True)
        return self.of(offered).startswith(prompt[: prompt.rfind(tools.NAME) + 1])

    def own_system(self, told: Message, question: Message) -> str:
        """Return what stands where a system text would, in a talk that has none."""
        before, _told, rest = self.of([told, question], prompt=True).partition(SYSTEM)
        between, alone = rest.partition(ASKED)[0], self.of([question], prompt=True)
        if not before or not between or not alone.startswith(before):
            return ""
        text, found, _rest = alone.removeprefix(before).partition(between)
        return text.strip() if found else ""

    def opening(self, question: Message, answer: Message, *, thinking: bool) -> tuple[str, str]:
        """Return what invites an answer: what a talk has there, too, and what the prompt alone has."""
        asked, prompt = self.of([question]), self.of([question], prompt=True, thinking=thinking)
        invites = prompt.removeprefix(asked) if prompt.startswith(asked) else prompt.rpartition(ASKED)[2]
        told = self.of([question, answer], thinking=thinking)
        base = prompt.removesuffix(invites)
        shared = 0
        while shared < len(invites) and told.startswith(base + invites[: shared + 1]):
            shared += 1
        return invites[:shared], invites[shared:]
