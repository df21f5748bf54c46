"""The OpenAPI document, made from the route table and the models. Pure."""

import re
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from agent.api.route import Route
from shared.errors import ErrorBody
from shared.people import HEADER
from shared.schema import Request

Json = dict[str, Any]


def describe(routes: Iterable[Route], *, version: str) -> Json:
    """Return the document as a JSON object."""
    table = list(routes)
    models = {model for route in table for model in (route.body, route.answer) if model is not None} | {ErrorBody}
    ordered = sorted(models, key=lambda model: model.__name__)
    _, schemas = models_json_schema(
        [(model, "validation") for model in ordered], ref_template="#/components/schemas/{model}"
    )
    paths: dict[str, Json] = {}
    for route in table:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Hearth agent", "version": version},
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"key": []}],
    }


def _operation(route: Route) -> Json:
    operation: Json = {
        "operationId": route.handler.__name__,
        "summary": route.summary,
        "parameters": [*_path_parameters(route.path), *_query_parameters(route.query), *_header(route)],
        "responses": {
            str(route.status.value): {"description": route.status.phrase, "content": {route.media: _schema(route)}},
            "default": {"description": "An error", "content": {"application/json": {"schema": _ref(ErrorBody)}}},
        },
    }
    if route.body is not None:
        content = {"application/json": {"schema": _ref(route.body)}}
        operation["requestBody"] = {"required": True, "content": content}
    if route.form:
        operation["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": _UPLOAD}}}
    if route.open:
        operation["security"] = []
    return operation


_UPLOAD: Json = {
    "type": "object",
    "properties": {
        "file": {"type": "string", "format": "binary"},
        "purpose": {"const": "fine-tune"},
        "requested_by": {"type": "string", "description": "a RequestedBy object, as JSON"},
        "sha256": {"type": "string", "description": "of the file, in hexadecimal; checked where it is given"},
    },
    "required": ["file", "purpose"],
    "additionalProperties": False,
}


def _schema(route: Route) -> Json:
    return {"schema": _ref(route.answer)} if route.answer else {}


def _ref(model: type[BaseModel]) -> Json:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _path_parameters(path: str) -> list[Json]:
    names = re.findall(r"{(\w+)}", path)
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _query_parameters(query: type[Request] | None) -> list[Json]:
    if query is None:
        return []
    schema = query.model_json_schema()
    kinds = schema.get("$defs", {})
    found: list[Json] = []
    for name, value in schema.get("properties", {}).items():
        found.append({"name": name, "in": "query", "required": False, "schema": _inline(value, kinds)})
    return found


def _header(route: Route) -> list[Json]:
    if route.open:
        return []
    words = "on whose behalf: a RequestedBy object, as ASCII JSON; without it, the holder of the key"
    return [{"name": HEADER, "in": "header", "required": False, "description": words, "schema": {"type": "string"}}]


def _inline(schema: Json, kinds: Json) -> Json:
    """Put an enum in the place of the reference to it: a query's own definitions are not among the components."""
    if "$ref" in schema:
        return dict(kinds[schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        return schema | {"anyOf": [_inline(option, kinds) for option in schema["anyOf"]]}
    return schema
