"""What is learned is what was sent: for the chat template of every family, whatever the talk."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from agent.data.fitting import fit, learned_answers
from agent.data.turns import Message, RowProblem
from tests.agent.data.families import ENDS, FAMILIES, plain, template_of

TEXTS = st.text(st.sampled_from("ab \n{}%<>\"'&\\é猫*#-"), max_size=12)
NUMBERS = st.integers(1, 3)
GREETED = [Message(role="assistant", content="Greeting: hello.")]  # before it stands nothing that answers begin with
for number in range(5):
    GREETED += [Message(role="user", content=f"Question {number}.")]
    GREETED += [Message(role="assistant", content=f"Answer {number}.")]
TOLD_LATE = [*GREETED[1:5], Message(role="system", content="Later: be brief."), *GREETED[5:7]]


@st.composite
def talks(draw: st.DrawFn) -> list[Message]:
    """Return a talk: a system text or none, perhaps a greeting, some exchanges, perhaps with thoughts.

    Some have system texts in between, and answers that their owner did not want to be learned.
    """
    count = iter(range(1000))

    def said(role: str) -> str:
        return f"{role} {next(count)}: {draw(TEXTS)}."

    talk = [Message(role="system", content=said("System"))] if draw(st.booleans()) else []
    talk += [Message(role="assistant", content=said("Greeting"))] if draw(st.integers(0, 3)) == 0 else []
    thinks = draw(st.booleans())
    for _exchange in range(draw(NUMBERS)):
        if draw(st.integers(0, 7)) == 0:
            talk.append(Message(role="system", content=said("Later")))
        talk += [Message(role="user", content=said("Question")) for _ in range(1 + (draw(st.integers(0, 5)) == 0))]
        for _ in range(1 + (draw(st.integers(0, 5)) == 0)):
            thoughts = said("Thought") if thinks and draw(st.booleans()) else ""
            learned = draw(st.integers(0, 5)) > 0
            talk.append(Message(role="assistant", content=said("Answer"), thoughts=thoughts, learned=learned))
    return talk if learned_answers(talk) else [*talk[:-1], replace(talk[-1], learned=True)]


def may_be_refused(talk: list[Message]) -> bool:
    """Say whether a row may be left out with a word: it has only a greeting, or half of a turn is to be learned."""
    spoken = [turn for turn in talk if turn.role != "system"]
    asked = next(at for at, turn in enumerate(spoken) if turn.role == "user")
    halved = any(one.role == two.role == "assistant" and one.learned != two.learned for one, two in pairwise(spoken))
    return halved or not learned_answers(spoken[asked:])


def broken_laws(name: str, talk: list[Message]) -> Iterator[str]:
    """Yield what of a talk is learned otherwise than it was sent, or asked otherwise than it is learned."""
    template, habits = template_of(name), template_of(name).habits
    fitted, examples = fit(talk, habits), template.examples(talk)
    try:
        rows = [template.parts(example) for example in examples]
    except RowProblem as problem:
        if not may_be_refused(talk):
            yield str(problem)
        return
    whole = plain("".join(text for text, _learned in rows[0]))
    pieces = [text for row in rows for text, is_learned in row if is_learned]

    kept = plain("\n".join(message.content for message in fitted))
    for message in talk:
        is_greeting = message.content.startswith("Greeting") and not habits.takes_greeting
        if plain(message.content) not in kept and not is_greeting:
            yield f"{message.content!r} is left out"
    last = max(at for at, message in enumerate(fitted) if message.role == "assistant" and message.learned)
    for message in fitted[: last + 1]:
        if plain(message.content) not in whole:
            yield f"{message.content!r} is not shown"

    greeted = sum(message.content.startswith("Greeting") for message in fitted)
    missed = sum(template.tokenize(example).missed for example in examples)
    if missed > greeted and not may_be_refused(talk):
        yield f"{missed} answers are not learned, and only {greeted} greet"
    if len(pieces) + missed != sum(map(learned_answers, examples)):
        yield f"{len(pieces)} answers are learned and {missed} counted, of {sum(map(learned_answers, examples))}"
    for answer in (message for message in fitted if message.role == "assistant" and message.learned):
        holding = [piece for piece in pieces if plain(answer.content) in plain(piece)]
        if len(holding) > 1 or len(holding) + missed < 1:
            yield f"{answer.content!r} is learned {len(holding)} times"
        for piece in holding:
            if not piece.endswith(tuple(ENDS)) or "Question" in piece:
                yield f"{piece!r} does not end where the answer does"
            if habits.shows_thoughts and plain(answer.thoughts) not in plain(piece):
                yield f"{piece!r} has not the thoughts {answer.thoughts!r}"

    for turns, row in zip(examples, rows, strict=True):
        *asked, answer = turns
        at = max(place for place, (_text, is_learned) in enumerate(row) if is_learned)
        asked_with = "".join(text for text, _learned in row[:at])
        if any(message.role == "user" for message in asked) and row[at][0].endswith(tuple(ENDS)):
            prompt = template.prompt(asked, thinking=bool(answer.thoughts))
            if plain(answer.content) in plain(row[at][0]) and asked_with != prompt:
                yield f"{prompt[-80:]!r} is asked, and {asked_with[-80:]!r} stands before the answer"


@pytest.mark.parametrize("name", FAMILIES)
@given(talk=talks())
@example(talk=GREETED)
@example(talk=TOLD_LATE)
@settings(max_examples=6, deadline=None, database=None, phases=[Phase.explicit, Phase.generate])
def test_what_is_learned_is_what_was_sent_and_what_will_be_asked(name: str, talk: list[Message]) -> None:
    assert not list(broken_laws(name, talk))
