"""What a finished model is by itself: the system text it was trained with, and whether it thinks. Pure."""

from collections import Counter

from agent.data.turns import Message
from shared.schema import Response

COUNTED = 1000  # different system texts; a file may have another in every row
LEAST_SHARE = 0.1  # of the rows have a system text, for it to be the model's own


class Character(Response):
    """What the finished model is asked with, wherever nobody says otherwise."""

    system: str | None = None  # None: the base model's own
    share: float = 0.0  # of the rows carry it
    others: int = 0  # other system texts in the rows
    tools: bool = False  # enough rows offer tools or call them, and its template shows that
    thinks: bool | None = False  # most answers come with thoughts; None: rows that an older version made tokens of

    @property
    def asked_to_think(self) -> bool:
        """Whether its prompts ask for thoughts; an older version asked as templates do by themselves."""
        return self.thinks is not False


class CharacterCount:
    """Counts what rows have in common, row by row."""

    def __init__(self) -> None:
        self._systems: Counter[str] = Counter()
        self._answers = self._thoughtful = self._with_tools = 0

    def add(self, messages: list[Message]) -> None:
        """Count a row, as it stands in the file."""
        text = system_text(messages)
        if text in self._systems or len(self._systems) < COUNTED:
            self._systems[text] += 1
        self._with_tools += bool(messages[0].tools) or any(message.calls for message in messages)
        for message in messages:
            if message.role == "assistant":
                self._answers += 1
                self._thoughtful += bool(message.thoughts)

    def found(self) -> Character:
        """Return what most rows say. A text that stands in few rows is none that the model should go by."""
        rows = self._systems.total()
        thinks, tools = 2 * self._thoughtful > self._answers, self._with_tools >= max(1, LEAST_SHARE * rows)
        told = Counter({text: count for text, count in self._systems.items() if text})
        if not told:
            return Character(thinks=thinks, tools=tools)
        [(text, count)] = told.most_common(1)
        if count < max(2, LEAST_SHARE * rows) or count <= self._systems[""]:
            return Character(others=len(told), thinks=thinks, tools=tools)
        return Character(system=text, share=count / rows, others=len(told) - 1, thinks=thinks, tools=tools)


def system_text(messages: list[Message]) -> str:
    """Return what the model is told before the first turn; empty where that is nothing."""
    return messages[0].content if messages[0].role == "system" else ""
