"""The agent of this machine over HTTP, with its owner's key: for commands that ask it to do something."""

import http.client
import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agent.errors import AgentError
from agent.settings import AgentSettings
from shared.errors import ErrorBody, ErrorCode
from shared.language import _
from shared.paths import ADDRESS_FILE

ANSWER_S = 1800.0  # a plan reads the whole dataset first
CHUNK = 1024 * 1024


class RunningAgent:
    """One request after the other, each on a connection of its own."""

    def __init__(self, settings: AgentSettings) -> None:
        self._folder = settings.hearth_data_dir
        try:
            self._address = (self._folder / ADDRESS_FILE).read_text(encoding="ascii").strip()
            self._key = settings.key_file.read_text(encoding="ascii").strip()
        except (OSError, ValueError) as error:
            raise self._silent(error) from error

    def ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Return the answer to a request. Raises AgentError: with the agent's own words, or if none answers."""
        content = json.dumps(body).encode() if body is not None else b""
        return self._send(method, path, iter([content]), len(content), "application/json")

    def upload(self, path: Path, name: str) -> dict[str, Any]:
        """Send a dataset, a piece at a time, and return the file that it is now. Raises AgentError."""
        mark = secrets.token_hex(16)
        quoted = name.replace("\\", "_").replace('"', "_").replace("\r", "_").replace("\n", "_")
        begin = (
            f'--{mark}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n'
            f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{quoted}"\r\n\r\n'
        ).encode()
        end = f"\r\n--{mark}--\r\n".encode()

        def pieces() -> Iterator[bytes]:
            yield begin
            with path.open("rb") as file:
                while piece := file.read(CHUNK):
                    yield piece
            yield end

        length = len(begin) + path.stat().st_size + len(end)
        return self._send("POST", "/v1/files", pieces(), length, f"multipart/form-data; boundary={mark}")

    def _send(self, method: str, path: str, content: Iterator[bytes], length: int, kind: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": kind, "Content-Length": str(length)}
        connection = http.client.HTTPConnection(self._address, timeout=ANSWER_S)
        try:
            connection.request(method, path, body=content, headers=headers)
            response = connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read())
            is_refusal = response.status >= http.HTTPStatus.BAD_REQUEST
            refusal = ErrorBody.model_validate(answer).error if is_refusal else None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._silent(error) from error
        finally:
            connection.close()
        if refusal is not None:
            raise AgentError(refusal.message, code=refusal.code, param=refusal.param)
        return answer

    def _silent(self, error: Exception) -> AgentError:
        return AgentError(
            _(
                "No agent answers for {folder}: {reason}. Start it, and run this as the user that it runs as.",
                folder=self._folder,
                reason=error,
            ),
            code=ErrorCode.store_unavailable,
        )
