"""Where values begin and end in JSON-like text, told by brackets and quotes alone, in one pass. Pure."""

import re

_OUTSIDE = re.compile(r"[\"'\[\]{}]|//[^\n]*|/\*")
_REST = {  # of what is open: up to where it closes, or to the end of the text
    '"': re.compile(r'(?:[^"\\]|\\.?)*+("?)', re.DOTALL),
    "'": re.compile(r"(?:[^'\\]|\\.?)*+('?)", re.DOTALL),
    "/*": re.compile(r"(?:[^*]|\*(?!/))*+((?:\*/)?)"),
}


class Brackets:
    """Follows a text, given piece by piece, through its quotes, comments and brackets."""

    def __init__(self) -> None:
        self._depth = 0
        self._inside = ""  # which quote or comment is open
        self._begun = 0

    @property
    def open(self) -> bool:
        """Whether something that began has not ended yet."""
        return self._depth > 0 or self._inside != ""

    def feed(self, text: str, level: int = 0) -> list[tuple[int, int]]:
        """Return where values begin and end inside `level` brackets, by their places in this piece."""
        spans, at = [], 0
        while at < len(text):
            if self._inside:
                rest = _REST[self._inside].match(text, at)
                assert rest is not None  # it matches the empty text, too
                at = rest.end()
                if rest[1]:
                    if self._depth == level and self._inside != "/*":
                        spans.append((self._begun, at))
                    self._inside = ""
                continue
            token = _OUTSIDE.search(text, at)
            if token is None:
                break
            at = token.end()
            if token[0] in _REST:
                self._inside = token[0]
            elif token[0] in "[{":
                self._depth += 1
            elif token[0] in "]}":
                self._depth = max(0, self._depth - 1)
                if self._depth == level:
                    spans.append((self._begun, at))
                continue
            if self._depth == level + (token[0] in "[{") and not token[0].startswith("/"):
                self._begun = token.start()
        return spans
