"""HTML of a post as text: paragraphs, lists, quotes and code as Markdown writes them, all else by its words."""

from html.parser import HTMLParser

from agent.data.readers.exports.html_source import complete_tags

APART = frozenset({"p", "div", "pre", "ul", "ol", "blockquote", "table", "h1", "h2", "h3", "h4", "h5", "h6", "hr"})
LINE = frozenset({"br", "tr", "dt", "dd"})
UNSEEN = frozenset({"script", "style"})


def html_to_text(html: str) -> str:
    """Return what a post says."""
    post = _PostText()
    post.feed(complete_tags(html))
    post.close()
    return post.text()


class _PostText(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._pieces: list[str] = []
        self._code = 0  # deep in <pre>
        self._unseen = 0
        self._numbers: list[int] = []  # of the open lists: the last number, or 0 for one without numbers

    def text(self) -> str:
        """Return the text, with at most one empty line anywhere outside code."""
        lines: list[str] = []
        for line in "".join(self._pieces).splitlines():
            if line.strip() or (lines and lines[-1].strip()):
                lines.append(line.rstrip())
        return "\n".join(lines).strip()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in APART:
            self._pieces.append("\n\n")
        if tag in LINE:
            self._pieces.append("\n")
        if tag == "pre":
            self._code += 1
            self._pieces.append("```\n")
        elif tag == "code" and not self._code:
            self._pieces.append("`")
        elif tag in ("ul", "ol"):
            self._numbers.append(1 if tag == "ol" else 0)
        elif tag == "li":
            self._begin_item()
        elif tag == "img":
            self._pieces.append(dict(attrs).get("alt") or "")
        self._unseen += tag in UNSEEN

    def _begin_item(self) -> None:
        number = self._numbers[-1] if self._numbers else 0
        indent = "  " * min(8, len(self._numbers) - 1)
        self._pieces.append(f"\n{indent}{number}. " if number else f"\n{indent}- ")
        if number:
            self._numbers[-1] = number + 1

    def handle_endtag(self, tag: str) -> None:
        if tag == "pre" and self._code:
            self._code -= 1
            self._pieces.append("\n```" if not self._ends_line() else "```")
        elif tag == "code" and not self._code:
            self._pieces.append("`")
        elif tag in ("ul", "ol") and self._numbers:
            self._numbers.pop()
        if tag in APART:
            self._pieces.append("\n\n")
        self._unseen -= tag in UNSEEN and self._unseen > 0

    def _ends_line(self) -> bool:
        return bool(self._pieces) and self._pieces[-1].endswith("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self._pieces.append(data if self._code else data.replace("\n", " "))
