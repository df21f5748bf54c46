"""Ollama's HTTP API, as far as creating a model from a GGUF needs it. Standard library only, no event loop.

https://github.com/ollama/ollama/blob/main/docs/api.md. No Modelfile is sent: its quoting knows no escapes.
"""

import ipaddress
import json
import re
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from pydantic import ValidationError

from agent.errors import AgentError
from agent.export.modelfile import ChatSettings
from shared.errors import ErrorCode
from shared.language import _
from shared.schema import Response

ANSWERS_WITHIN_S = 2.0
PATIENCE_S = 300.0
CHUNK = 1 << 20
ANSWER_LIMIT = 16 << 20
STEP_PERCENT = 5
SHOWN_REASON = 200  # characters
VERSION = re.compile(r"[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}")
UNSPECIFIED = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where a server that listens everywhere is found


class Version(Response):
    """GET /api/version."""

    version: str


class Tag(Response):
    """One model of GET /api/tags."""

    name: str  # with its tag
    digest: str  # of the manifest: equal for two names of one model


class Tags(Response):
    """GET /api/tags."""

    models: list[Tag] | None = None


class Shown(Response):
    """POST /api/show."""

    modelfile: str = ""


class CreateLine(Response):
    """One line of what POST /api/create streams; every refusal of Ollama has the same `error`."""

    status: str | None = None
    error: str | None = None


Form = TypeVar("Form", bound=Response)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A whole answer of Ollama."""

    status: int
    content: bytes

    def check(self) -> None:
        """Raise AgentError, with Ollama's own words, unless it did what was asked."""
        if self.status not in (200, 201):
            raise problem(_said(self.content) or _("it answered with HTTP status {status}", status=self.status))

    def read(self, form: type[Form]) -> Form:
        """Return the content of an answer that is no refusal. Raises AgentError."""
        self.check()
        return _parse(form, self.content)


class Ollama:
    """One Ollama, over HTTP. Raises AgentError for what it refuses, OSError and HTTPException for the line."""

    def __init__(self, url: str, *, patience_s: float = PATIENCE_S) -> None:
        parts = urlsplit(url)
        self._secure = parts.scheme == "https"
        self._host = parts.hostname or "127.0.0.1"
        self._port = parts.port or 11434
        self._patience_s = patience_s

    def answers(self, address: str | None = None) -> bool:
        """Tell whether an Ollama answers here, or at another address of this machine."""
        headers = {"Host": "localhost"} if address else {}  # one on loopback alone must not refuse for the name
        try:
            self._ask("GET", "/api/version", headers=headers, at=address, patience_s=ANSWERS_WITHIN_S).read(Version)
        except (AgentError, OSError, HTTPException):
            return False
        return True

    def is_older_than(self, wanted: str) -> str | None:
        """Return its version where that is older; 0.0.0 and what is no number, as of somebody's own build, is not."""
        version = self._ask("GET", "/api/version").read(Version).version
        known = VERSION.match(version)
        return version if known and [0, 0, 0] < _numbers(known[0]) < _numbers(wanted) else None

    def reached_at(self, addresses: Iterable[str]) -> str | None:
        """Return where others can reach it, of `addresses` too; None when it listens on loopback alone."""
        if not is_loopback(self._host):
            return self._host
        return next((address for address in addresses if self.answers(address)), None)

    def digests(self) -> dict[str, str]:
        """Return the digest of every model by its name, in lower case: Ollama takes both cases for one name."""
        tags = self._ask("GET", "/api/tags").read(Tags)
        return {tag.name.lower(): tag.digest for tag in tags.models or []}

    def holds(self, name: str, sha256: str) -> bool:
        """Tell whether the model `name` is made of the GGUF with this hash."""
        answer = self._ask("POST", "/api/show", {"model": name})
        if answer.status == 404:
            return False
        return re.search(rf"(?m)^FROM .*sha256-{sha256}\s*$", answer.read(Shown).modelfile) is not None

    def upload(self, path: Path, sha256: str, sent: Callable[[int], None]) -> None:
        """Give it a file, unless it has it; `sent` hears of every five per cent."""
        route = f"/api/blobs/sha256:{sha256}"
        if self._ask("HEAD", route).status == 200:
            return
        size = path.stat().st_size
        with self._line() as line, path.open("rb") as file:
            line.putrequest("POST", route)
            line.putheader("Content-Type", "application/octet-stream")
            line.putheader("Content-Length", str(size))
            line.endheaders()
            done = told = 0
            with suppress(ConnectionError):  # it hung up before it had all of it; its answer says why
                while chunk := file.read(CHUNK):
                    line.send(chunk)
                    done += len(chunk)
                    step = 100 * done // size // STEP_PERCENT * STEP_PERCENT
                    if step > told:
                        told = step
                        sent(step)
            with line.getresponse() as response:
                Answer(status=response.status, content=response.read(ANSWER_LIMIT)).check()

    def create(self, name: str, model: ChatSettings, *, file_name: str, sha256: str) -> None:
        """Make a model of a file that it has. An error within the stream, or no success at its end, is a failure."""
        fields = {
            "model": name,
            "files": {file_name: f"sha256:{sha256}"},
            "template": model.template,
            "system": model.system,
            "requires": model.requires,
            "parameters": {
                "stop": list(model.stops),
                "num_predict": model.num_predict,
                "temperature": model.temperature,
            },
            "stream": True,
        }
        given = {key: value for key, value in fields.items() if value is not None}
        with self._line() as line:
            line.request("POST", "/api/create", json.dumps(given).encode(), {"Content-Type": "application/json"})
            with line.getresponse() as response:
                if response.status != 200:
                    Answer(status=response.status, content=response.read(ANSWER_LIMIT)).check()
                _follow(response)

    def copy(self, source: str, destination: str) -> None:
        """Give a model a second name, taking it from whatever had it."""
        self._ask("POST", "/api/copy", {"source": source, "destination": destination}).check()

    def _ask(
        self,
        method: str,
        route: str,
        body: object = None,
        *,
        headers: dict[str, str] | None = None,
        at: str | None = None,
        patience_s: float | None = None,
    ) -> Answer:
        content = None if body is None else json.dumps(body).encode()
        with self._line(at, patience_s) as line:
            line.request(method, route, content, {"Content-Type": "application/json"} | (headers or {}))
            with line.getresponse() as response:
                return Answer(status=response.status, content=response.read(ANSWER_LIMIT))

    @contextmanager
    def _line(self, at: str | None = None, patience_s: float | None = None) -> Iterator[HTTPConnection]:
        kind = HTTPSConnection if self._secure else HTTPConnection
        host = at or UNSPECIFIED.get(self._host, self._host)
        line = kind(host, self._port, timeout=patience_s or self._patience_s)
        try:
            yield line
        finally:
            line.close()


def _numbers(version: str) -> list[int]:
    return [int(number) for number in version.split(".")]


def _follow(stream: HTTPResponse) -> None:
    """Read what /api/create streams up to its success. Raises AgentError."""
    while line := stream.readline(ANSWER_LIMIT):
        if not line.strip():
            continue
        news = _parse(CreateLine, line)
        if news.error is not None:
            raise problem(_quoted(news.error) or _("it gave no reason"))
        if news.status == "success":
            return
    raise problem(_("it ended its answer without saying that the model was made"))


def _said(content: bytes) -> str | None:
    """Return the words of a refusal; None when there are none."""
    try:
        return _quoted(CreateLine.model_validate_json(content).error or "") or None
    except ValidationError:
        return None


def _quoted(text: str) -> str:
    words = " ".join(text.split())
    return _("it said “{words}”", words=words[:SHOWN_REASON]) if words else ""


def _parse(form: type[Form], content: bytes) -> Form:
    try:
        return form.model_validate_json(content)
    except ValidationError as error:
        raise problem(_("its answer could not be read")) from error


def problem(reason: str) -> AgentError:
    """Return an error whose message is the end of a sentence."""
    return AgentError(reason, code=ErrorCode.export_failed)


def is_loopback(host: str) -> bool:
    """Tell whether a name or address is this machine's own, whichever address a name stands for."""
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
    except OSError:
        return False
    return all(ipaddress.ip_address(address).is_loopback for address in found)
