"""Server-sent events: bytes in, (id, data) out. Pure; https://html.spec.whatwg.org/multipage/server-sent-events.html."""


class SseParser:
    """Keeps what has arrived of an event until the blank line that ends it."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[str] = []
        self._id: str | None = None

    def feed(self, chunk: bytes) -> list[tuple[str | None, str]]:
        """Take some bytes; return the events they complete. Comments (keep-alives) are dropped."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        events = []
        for raw in lines:
            line = raw.rstrip(b"\r").decode("utf-8", "replace")
            if line:
                self._take(line)
            elif self._data:
                events.append((self._id, "\n".join(self._data)))
                self._data = []
        return events

    def _take(self, line: str) -> None:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            self._data.append(value)
        elif field == "id":
            self._id = value
