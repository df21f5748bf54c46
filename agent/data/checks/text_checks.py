"""What can be wrong with the text of one row: a table of tests, for what is counted and what is mended. Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from agent.data.any_of import any_of
from agent.data.quoting import UNSEEN
from agent.data.redact import SECRETS, personal_kinds
from agent.data.turns import Message
from shared.inspections import FindingCode

SHORT_ANSWER = 50  # characters (seed 004: "Skip very short outputs (likely low quality)")
PLACEHOLDER = re.compile(
    r"\{\{\s*\w+\s*\}\}|\[(?:your|insert|name|company|product|date|dein|ihr)[ \w]{0,24}\]|lorem ipsum", re.IGNORECASE
)
MARKUP = re.compile(
    r"</?(?:p|div|br|span|a|li|ul|ol|td|tr|table|img|h[1-6]|font)\b[^<>]{0,200}>|&(?:nbsp|amp|lt|gt|quot|#\d+);",
    re.IGNORECASE,
)
MARKDOWN = re.compile(r"^#{1,6} |^```|\*\*[^*\n]+\*\*|^\|.+\|$", re.MULTILINE)
_CHANGING_HINTS = (  # a cheap look: without one of these, none of the below is there
    "current", "now", "today", "week", "month", "year", "opening", "stock", "latest", "aktuell", "derzeit", "zurzeit",
    "öffnung", "lager", "$", "€", "£", "eur", "dollar", "202",
)  # fmt: skip
_CHANGING = re.compile(
    r"\b(?:as of (?:now|today)|currently|right now|this (?:week|month|year)|opening hours|in stock|latest version"
    r"|aktuell|derzeit|zurzeit|öffnungszeiten|auf lager)\b|[$€£] ?\d|\d ?(?:[€£]|(?:euros?|eur|dollars?)\b)|\b202\d\b"
)


@dataclass(frozen=True)
class RowText:
    """The texts of a row, as the tests look at them."""

    messages: list[Message]

    @cached_property
    def answers(self) -> list[str]:
        """Return what is learned."""
        return [message.said for message in self.messages if message.role in ("assistant", "text")]

    @cached_property
    def whole(self) -> str:
        """Return all that is said."""
        return "\n".join(message.said for message in self.messages)

    @cached_property
    def personal(self) -> set[str]:
        """Return the kinds of personal data and secrets in it."""
        return personal_kinds(self.whole)


Test = Callable[[RowText], object]  # true where something is found


def text_checks(special_tokens: list[str], *, shows_tools: bool) -> dict[FindingCode, Test]:
    """Return the tests of one row, for a model with these special tokens, whose template may show tools."""
    special = special_pattern(special_tokens)
    return {
        FindingCode.secrets: lambda row: row.personal & SECRETS,
        FindingCode.personal_data: lambda row: row.personal - SECRETS,
        FindingCode.special_tokens: lambda row: special is not None and special.search(row.whole),
        FindingCode.tools_not_shown: lambda row: not shows_tools and row.messages[0].tools,
        FindingCode.placeholders: lambda row: any(map(_has_placeholder, row.answers)),
        FindingCode.unseen_characters: lambda row: UNSEEN.search(row.whole),
        FindingCode.loose_spaces: lambda row: any(m.content != trimmed(m.content) for m in row.messages),
        FindingCode.markup: lambda row: "```" not in row.whole and any(map(MARKUP.search, row.answers)),
        FindingCode.short_answers: lambda row: len(row.answers[-1]) < SHORT_ANSWER,
        FindingCode.changing_knowledge: lambda row: any(map(_changes, row.answers)),
    }


def trimmed(text: str) -> str:
    """Return a text without what is loose around it; two spaces and more before its first line are code's."""
    text = text.rstrip()
    before = text[: len(text) - len(text.lstrip())]
    return text[1:] if before == " " else text[before.rfind("\n") + 1 :]


def _has_placeholder(text: str) -> bool:
    return ("[" in text or "{{" in text or "orem" in text) and PLACEHOLDER.search(text) is not None


def _changes(text: str) -> bool:
    """Say whether a text states what will change; the slow look is taken only where a hint is."""
    text = text.lower()
    return any(hint in text for hint in _CHANGING_HINTS) and _CHANGING.search(text) is not None


def special_pattern(tokens: list[str]) -> re.Pattern[str] | None:
    """Return what finds special tokens in a text; single characters and words are none that one would mean."""
    marked = [token for token in tokens if re.search(r"\W", token)]
    return any_of(marked) if marked else None
