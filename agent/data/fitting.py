"""A talk as a chat template can say it: folded, merged and parted where the template asks for that. Pure.

What a template cannot say even so is named, never left out in silence.
"""

from collections.abc import Iterator
from dataclasses import replace

from agent.data.template_habits import Habits
from agent.data.turns import Message, offering

TURNS_BEFORE = 40  # of an answer that is an example of its own
BETWEEN = "\n\n"  # two texts that become one turn


def fit(messages: list[Message], habits: Habits) -> list[Message]:
    """Return a talk in turns that the template takes, with every text that it has a place for.

    A system turn goes in front of the first question where the family has none, and to the beginning where it wants it
    there, turns of one speaker become one where
    it wants them to alternate, and a greeting before the first question is left out where it wants a question first.
    """
    if messages[0].role == "text":
        return messages
    if not habits.takes_later_systems and _has_later_systems(messages):
        messages = _led(messages)
    if not habits.takes_system:
        messages = _folded(messages)
    if not habits.takes_greeting:
        messages = _without_greeting(messages)
    elif not habits.learns_greeting:
        first = _first_question(messages)
        messages = [replace(each, learned=each.learned and at >= first) for at, each in enumerate(messages)]
    if not habits.takes_repeats:
        messages = _merged(messages)
    if not habits.shows_thoughts and any(message.thoughts for message in messages):
        messages = [replace(each, content=each.written or each.content, thoughts="") for each in messages]
    return messages


def left_out(messages: list[Message], fitted: list[list[Message]]) -> int:
    """Return how many answers of a talk none of its examples has; some of these have two in one turn."""
    wanted = [message.content.strip() for message in messages if message.role == "assistant" and message.learned]
    if len(wanted) == sum(map(learned_answers, fitted)):
        return 0
    told = [message.content for each in fitted for message in each if message.role == "assistant" and message.learned]
    return sum(not any(text in other for other in told) for text in wanted)


def learned_answers(messages: list[Message]) -> int:
    """Return how many answers of a talk are there to be learned."""
    return sum(message.role == "assistant" and message.learned for message in messages)


def examples(messages: list[Message], habits: Habits) -> Iterator[list[Message]]:
    """Yield the talks by which every answer is learned, the whole talk first.

    It is one where the template keeps answers as they were written, else one for each answer: the talk up to it. Some
    prompts say whether the model is to think, so a talk with answers of both kinds is taken apart, too; some offer
    tools before the last question alone, and some end a call that has its result otherwise.
    """
    learned = [at for at, message in enumerate(messages) if message.role == "assistant" and message.learned]
    is_mixed = len({bool(messages[at].thoughts) for at in learned}) > 1
    keeps = habits.keeps_answers and (habits.keeps_tools or not messages[0].tools)
    keeps = keeps and (habits.keeps_calls or not any(message.calls for message in messages))
    if len(learned) == 1 and not keeps:
        yield messages[: learned[0] + 1]
    elif len(learned) < 2 or (keeps and not is_mixed):
        yield messages
    else:
        for last in reversed(learned):
            yield _up_to(messages, last)


def _up_to(messages: list[Message], last: int) -> list[Message]:
    """Return an answer with what was said before it, as far back as anybody remembers: a talk may have 10,000 turns."""
    begin = max(0, last - TURNS_BEFORE)
    led = [message for message in messages[:begin] if message.role == "system"][:1]
    before = [replace(each, learned=False) if each.role == "assistant" else each for each in messages[begin:last]]
    if begin:  # a talk begins with a question
        while before and before[0].role != "user":
            before.pop(0)
    return offering(messages[0].tools, [*led, *before, messages[last]])


def _has_later_systems(messages: list[Message]) -> bool:
    return any(message.role == "system" for message in messages[1:])


def _led(messages: list[Message]) -> list[Message]:
    """Return a talk with all its system texts as one turn before the others."""
    told = [message.content for message in messages if message.role == "system"]
    rest = [message for message in messages if message.role != "system"]
    return [Message(role="system", content=BETWEEN.join(told), tools=messages[0].tools), *rest]


def _folded(messages: list[Message]) -> list[Message]:
    told = [message.content for message in messages if message.role == "system"]
    rest = [message for message in messages if message.role != "system"]
    first = next((at for at, message in enumerate(rest) if message.role == "user"), None)
    if not told or first is None:
        return messages
    folded = [*rest]
    folded[first] = replace(rest[first], content=BETWEEN.join([*told, rest[first].content]))
    offered = messages[0].tools
    return [replace(folded[0], tools=offered), *folded[1:]] if offered else folded


def _first_question(messages: list[Message]) -> int:
    return next((at for at, message in enumerate(messages) if message.role == "user"), 0)


def _without_greeting(messages: list[Message]) -> list[Message]:
    first = _first_question(messages)
    kept = [message for at, message in enumerate(messages) if at >= first or message.role != "assistant"]
    offered = messages[0].tools
    return [replace(kept[0], tools=offered), *kept[1:]] if offered and not kept[0].tools else kept


def _merged(messages: list[Message]) -> list[Message]:
    merged: list[Message] = []
    for message in messages:
        before = merged[-1] if merged else None
        is_same = before is not None and before.role == message.role in ("user", "assistant", "system")
        if before is None or not is_same or before.calls or message.calls or before.learned != message.learned:
            merged.append(message)
            continue
        content = BETWEEN.join(text for text in (before.content, message.content) if text)
        thoughts = BETWEEN.join(text for text in (before.thoughts, message.thoughts) if text)
        merged[-1] = replace(before, content=content, thoughts=thoughts, written="")
    return merged
