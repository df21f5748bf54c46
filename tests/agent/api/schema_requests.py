"""Requests made from an agent's own /openapi.json, within what it allows and beyond, and what is wrong with an answer.

Values of whole requests come from schemathesis. A request line that is longer than aiohttp reads is not among them: it
is refused by aiohttp, before the agent has a say in how.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from pydantic import ValidationError
from schemathesis import GenerationMode
from schemathesis.config import GenerationConfig

from shared.errors import ErrorBody

Json = dict[str, Any]

ANSWERED_WITHIN_S = 10.0  # each read, so that what hangs is found and a slow machine is not
STATED = frozenset({503, 507})  # model_busy, store_unavailable; insufficient_disk, too_much_stored
EVERY_SETTING = settings(database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))


@dataclass(frozen=True, kw_only=True)
class Requests:
    """What the requests are made from."""

    url: str
    key: str
    document: Json  # /openapi.json
    known: Mapping[str, list[Any]]  # by the name of a parameter or a field: what leads to something stored
    strange: list[str]  # what is tried in their place, too
    dice: int  # the same number makes the same requests
    examples: int  # of an operation, twice: those that fit, and those that do not; beside those at its bounds


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What came back."""

    statuses: dict[str, Counter[int]] = field(default_factory=dict)  # by operation
    wrong: dict[str, str] = field(default_factory=dict)  # the first of its kind of each operation, to be tried again


def send_all(asked: Requests, told: Callable[[str], object] = lambda _: None) -> Answers:
    """Send requests to each operation, and see after each that the agent lives. What deletes comes last.

    Of a stream of events only the beginning is read: it has no end. Uploads are short files of random bytes.
    """
    operations = _operations(with_known(asked.document, asked.known))
    answers = Answers()
    with requests.Session() as session:
        for name in sorted(operations, key=_rank):
            told(name)
            seen = answers.statuses.setdefault(name, Counter())
            for request in _requests(operations[name], asked):
                status, wrong = _send(session, asked.key, request)
                seen[status] += 1
                if wrong is not None:
                    answers.wrong.setdefault(f"{name} {status}", f"{wrong}, to {request}")
            with session.get(f"{asked.url}healthz", timeout=ANSWERED_WITHIN_S) as health:
                assert health.json()["status"] == "ok", name
    return answers


def _rank(name: str) -> tuple[bool, bool]:
    """Sort what ends or deletes behind what needs it, and a question to a model before jobs are made: they go first."""
    return name.startswith("DELETE") or name.endswith("/cancel"), not name.endswith("/completions")


def with_known(document: Json, known: Mapping[str, list[Any]]) -> Json:
    """Return the document with the known values in the place of what a parameter, a field or Model.field may be.

    The last of them is the one that schemathesis takes where it looks at the bounds of the others.
    """
    found: Json = json.loads(json.dumps(document))
    for path in found["paths"].values():
        for parameter in (each for operation in path.values() for each in operation["parameters"]):
            if parameter["name"] in known:
                parameter["schema"] = {"enum": known[parameter["name"]]}
    for model, schema in found["components"]["schemas"].items():
        fields = schema.get("properties", {})
        for name in fields:
            values = known.get(f"{model}.{name}", known.get(name))
            if values is not None:
                fields[name] = {"enum": values}
    return found


def _operations(document: Json) -> dict[str, Any]:
    found = (operation.ok() for operation in schemathesis.openapi.from_dict(document).get_all_operations())
    return {operation.label: operation for operation in found}


def _at_bounds(operation: Any) -> list[Any]:
    """Return what stands at the bounds of each parameter and field, and a step beyond."""
    modes, config = list(GenerationMode), GenerationConfig()
    found = operation.schema.iter_coverage_cases(operation, generation_modes=modes, generation_config=config)
    return [case for case in found if case.method == operation.method.upper()]  # other verbs reach no handler


def _any(operation: Any, asked: Requests, mode: GenerationMode) -> list[Any]:
    """Return what hypothesis makes of the whole, the same for the same dice."""
    made: list[Any] = []

    @settings(EVERY_SETTING, max_examples=asked.examples)
    @seed(asked.dice)
    @given(operation.as_strategy(generation_mode=mode))
    def collect(case: Any) -> None:
        made.append(case)

    try:
        collect()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE, operation.label
        assert not operation.body, operation.label  # of a route that takes nothing, nothing can be wrong
    return made


def _requests(operation: Any, asked: Requests) -> list[Json]:
    """Return all that is sent to one operation, as the arguments of requests.request."""
    fitting = _any(operation, asked, GenerationMode.POSITIVE)
    cases = [*_at_bounds(operation), *fitting, *_any(operation, asked, GenerationMode.NEGATIVE)]
    made = [case.as_transport_kwargs(asked.url) for case in cases]
    return [*made, *_with_strange_ids(fitting[0].as_transport_kwargs(asked.url), operation.path, asked)]


def _with_strange_ids(fitting: Json, path: str, asked: Requests) -> Iterator[Json]:
    """Yield a request that fits, with each strange value in the place of each known one in its path and its body."""
    for value in asked.strange:
        if "{" in path:
            yield fitting | {"url": asked.url + re.sub(r"{\w+}", quote(value, safe=""), path).removeprefix("/")}
        body = fitting["json"] if isinstance(fitting.get("json"), dict) else {}
        for name in sorted(asked.known.keys() & body.keys()):
            yield fitting | {"json": body | {name: value}}


def _send(session: requests.Session, key: str, request: Json) -> tuple[int, str | None]:
    """Return the status of the answer, 0 without one, and what is wrong with it."""
    headers = {**request["headers"], "Authorization": f"Bearer {key}"}  # whatever key was made up: behind it is more
    try:
        with session.request(**request | {"headers": headers}, timeout=ANSWERED_WITHIN_S, stream=True) as answer:
            if answer.headers.get("Content-Type", "").startswith("text/event-stream"):
                return answer.status_code, None
            return answer.status_code, what_is_wrong(answer.status_code, answer.content)
    except requests.RequestException as error:
        return 0, f"no answer: {error!r}"


def what_is_wrong(status: int, body: bytes) -> str | None:
    """Say what is wrong with an answer; None where nothing is."""
    if status < 400:
        return None
    try:
        error = ErrorBody.model_validate_json(body).error
    except ValidationError:
        return f"{status} without an error body: {body[:300]!r}"
    if not error.message:
        return f"{status} says nothing: {json.dumps(error.code)}"
    if status >= 500 and status not in STATED:
        return f"{status} {error.code}: {error.message}"
    return None
