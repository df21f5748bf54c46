"""The hand-over child: creates a finished model in Ollama, and overwrites nobody's own model.

`python -m agent.export.hand_over_child` reads a HandOver on stdin and writes lines of HandOverNews on stdout, the last
with the outcome. It is a process of its own because the trainer may reach nothing beyond loopback, and because a
trainer that is told to stop can end it in the middle.
"""

import ipaddress
import logging
import os
import re
import socket
import sys
from collections.abc import Callable, Iterable
from functools import partial
from http.client import HTTPException
from pathlib import Path

import psutil

from agent.errors import AgentError
from agent.export.modelfile import ChatSettings
from agent.export.ollama import PATIENCE_S, Ollama, problem
from agent.job_folder.durable import file_sha256
from shared.errors import ErrorCode
from shared.language import _
from shared.results import OllamaOutcome
from shared.schema import Response

NAME = re.compile(r"([a-z0-9][a-z0-9-]{0,39}):v([1-9][0-9]{0,8})")

logger = logging.getLogger("agent.export.hand_over_child")


class NameTakenError(AgentError):
    """Ollama has another model of this name and version."""


class HandOver(Response):
    """What the child is asked for."""

    url: str  # http://127.0.0.1:11434
    open_allowed: bool  # the owner's yes to an Ollama that others can reach
    gguf: str
    name: str  # mia-support:v1
    model: ChatSettings
    patience_s: float = PATIENCE_S  # for one answer, or one line of it


class HandOverNews(Response):
    """One line of the child: exactly one of the two."""

    sent_percent: int | None = None  # of the GGUF, in steps of five
    outcome: OllamaOutcome | None = None


def hand_over(request: HandOver, *, addresses: Iterable[str], sent: Callable[[int], None]) -> OllamaOutcome:
    """Create the model in Ollama if one answers, and say how that went. Done twice, it is there once."""
    ollama = Ollama(request.url, patience_s=request.patience_s)
    if not ollama.answers():
        return OllamaOutcome(status="absent", message=_("No Ollama answers at {url}.", url=request.url))
    where = None if request.open_allowed else ollama.reached_at(addresses)
    if where is not None:
        return OllamaOutcome(
            status="refused",
            message=_(
                "Others on the network can reach Ollama (at {where}), so the model was not put there. "
                "Let it listen on 127.0.0.1 alone, or set HEARTH_OLLAMA_OPEN=true for the agent.",
                where=where,
            ),
        )
    try:
        if request.model.requires and (version := ollama.is_older_than(request.model.requires)):
            raise problem(
                _(
                    "it is {version}, and a model that calls tools needs {wanted} or newer",
                    version=version,
                    wanted=request.model.requires,
                )
            )
        return OllamaOutcome(status="created", message="", run=_give(ollama, request, sent))
    except NameTakenError as error:
        return _failed(
            request,
            _("{message}, which stays as it is. Create this one under another name.", message=error.message),
            taken=True,
        )
    except (AgentError, OSError, HTTPException) as error:
        logger.warning("the model was not handed over", exc_info=True)
        return _failed(
            request,
            _("{reason}. The model is complete: settle that, then create it by hand.", reason=_reason(error, request)),
        )


def _failed(request: HandOver, why: str, *, taken: bool = False) -> OllamaOutcome:
    message = _("Ollama at {url} did not take the model: {why}", url=request.url, why=why)
    return OllamaOutcome(status="failed", message=message, name_taken=taken)


def _give(ollama: Ollama, request: HandOver, sent: Callable[[int], None]) -> str:
    """Upload and create, as far as that is not done; return what `ollama run` takes."""
    name, gguf = request.name, Path(request.gguf)
    if NAME.fullmatch(name) is None:
        raise problem(_("“{name}” is not a name and a version such as toast:v1", name=name))
    sha256 = file_sha256(gguf)
    if name in ollama.digests():
        if not ollama.holds(name, sha256):
            raise NameTakenError(_("it has another model called {name}", name=name), code=ErrorCode.export_failed)
    else:
        ollama.upload(gguf, sha256, sent)
        ollama.create(name, request.model, file_name=gguf.name, sha256=sha256)
        if not ollama.holds(name, sha256):
            raise problem(_("it said that {name} was made, and does not have it", name=name))
    try:
        return _move_latest(ollama, name)
    except (AgentError, OSError, HTTPException):
        logger.warning("the name without a version was not given", exc_info=True)
        return name


def _move_latest(ollama: Ollama, name: str) -> str:
    """Let the name without a version mean this one, unless it is somebody's own or a later one; return what to run."""
    digests = ollama.digests()
    stem, version = _versioned(name)
    earlier = {
        digest
        for other, digest in digests.items()
        if NAME.fullmatch(other) and _versioned(other)[0] == stem and _versioned(other)[1] <= version
    }
    latest = digests.get(f"{stem}:latest")
    if latest is not None and latest not in earlier:
        return name
    if latest is None or latest != digests.get(name):
        ollama.copy(name, f"{stem}:latest")
    return stem


def _versioned(name: str) -> tuple[str, int]:
    stem, _, version = name.partition(":v")
    return stem, int(version)


def _reason(error: Exception, request: HandOver) -> str:
    if isinstance(error, AgentError):
        return error.message
    if isinstance(error, TimeoutError):
        return _("it gave no answer for {seconds:g} s", seconds=request.patience_s)
    if isinstance(error, ConnectionError | HTTPException):
        return _("the connection broke off")
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__


def other_addresses() -> list[str]:
    """Return this machine's addresses at which others may reach it."""
    found = [entry.address for entries in psutil.net_if_addrs().values() for entry in entries
             if entry.family in (socket.AF_INET, socket.AF_INET6)]  # fmt: skip
    return [address for address in found if not ipaddress.ip_address(address).is_loopback]


def main() -> None:
    """Answer one HandOver."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    request = HandOver.model_validate_json(sys.stdin.buffer.read())
    out = os.dup(1)
    os.dup2(2, 1)  # whatever else prints, prints into the job's log
    outcome = hand_over(request, addresses=other_addresses(), sent=partial(_tell_sent, out))
    _tell(out, HandOverNews(outcome=outcome))


def _tell_sent(out: int, percent: int) -> None:
    _tell(out, HandOverNews(sent_percent=percent))


def _tell(out: int, news: HandOverNews) -> None:
    os.write(out, news.model_dump_json().encode() + b"\n")


if __name__ == "__main__":
    main()
