"""Messages from the HTML that a chat program writes, told by the classes of its elements.

The standard library's parser is fed; nothing is fetched, and elements may be nested as deeply as they like.
"""

from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Literal

from agent.data.readers.exports.html_source import complete_tags

VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
BLOCKS = frozenset({"p", "div", "li", "tr", "blockquote", "pre"})
UNREAD = frozenset({"script", "style", "title", "head"})

Part = Literal["who", "at", "text", "mention", "none", ""]


@dataclass(frozen=True, kw_only=True)
class Classes:
    """By which classes a program's HTML names the parts of a message."""

    message: frozenset[str]  # of the elements with which one begins, or several of one person
    who: frozenset[str]
    at: str
    text: str
    mention: str  # in a text: a name
    none: frozenset[str]  # what is inside belongs to no message, or to another


@dataclass(kw_only=True)
class HtmlMessage:
    """One message as it stands on the page; what is empty is as in the message before."""

    line: int
    who: str = ""
    at: str = ""
    pieces: list[str] = field(default_factory=list)  # of the text
    mentions: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Return what is said."""
        return "".join(self.pieces).strip()


def messages(html: str, classes: Classes) -> list[HtmlMessage]:
    """Return the messages of a page, in its order."""
    page = _Page(classes)
    page.feed(complete_tags(html))
    page.close()
    return page.found


class _Page(HTMLParser):
    def __init__(self, classes: Classes) -> None:
        super().__init__(convert_charrefs=True)
        self._classes = classes
        self._open: list[tuple[str, Part]] = []
        self._count: Counter[str] = Counter()  # of open elements by tag: an end that closes none costs nothing
        self.found: list[HtmlMessage] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        names = (given.get("class") or "").split()
        outer = self._open[-1][1] if self._open else ""
        part = self._part(tag, names, outer)
        if tag not in VOID:
            self._open.append((tag, part))
            self._count[tag] += 1
        if outer != "none" and not self._classes.message.isdisjoint(names):
            self.found.append(HtmlMessage(line=self.getpos()[0]))
        if not self.found:
            return
        if part in ("who", "at") and part != outer and (title := (given.get("title") or "").strip()):
            setattr(self.found[-1], part, title)
        if part == "mention" and (title := (given.get("title") or "").strip()):
            self.found[-1].mentions.append(title)
        if part == "text" and tag == "img":
            self.found[-1].pieces.append(given.get("alt") or "")
        if part == "text" and (tag == "br" or tag in BLOCKS):
            self._break()

    def _part(self, tag: str, names: list[str], outer: Part) -> Part:
        classes = self._classes
        if outer == "none" or tag in UNREAD or not classes.none.isdisjoint(names):
            return "none"
        if classes.mention in names and outer == "text":
            return "mention"
        if not classes.who.isdisjoint(names):
            return "who"
        if classes.at in names:
            return "at"
        if classes.text in names:
            return "text"
        return outer

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID or not self._count[tag]:
            return
        while self._open:
            closed, part = self._open.pop()
            self._count[closed] -= 1
            if part == "text" and closed in BLOCKS and self.found:
                self._break()
            if closed == tag:
                return

    def _break(self) -> None:
        pieces = self.found[-1].pieces
        if pieces and not pieces[-1].endswith("\n"):
            pieces.append("\n")

    def handle_data(self, data: str) -> None:
        part = self._open[-1][1] if self._open else ""
        if not self.found or part in ("", "none"):
            return
        message = self.found[-1]
        if part == "mention":
            message.mentions.append(data)
        if part in ("text", "mention"):
            message.pieces.append(data)
        elif part == "who" and not message.who.strip():
            message.who = data.strip()
        elif part == "at" and not message.at.strip():
            message.at = data.strip()
