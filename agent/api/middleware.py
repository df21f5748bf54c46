"""Around every handler: the key is asked for, and whatever goes wrong leaves as an error body."""

import errno
import logging
import secrets
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler

from agent.api.keyring import GIVEN, KEY, KEYRING
from agent.errors import STATUS, AgentError
from shared.errors import ErrorBody, ErrorCode, ErrorDetail, HearthError
from shared.language import _, speaking
from shared.plans import Alternative

log = logging.getLogger(__name__)

OPEN_PATHS = frozenset({"/healthz", "/v1/files/{file_id}/download"})  # a download asks for a signature instead

_CODES = {
    HTTPStatus.NOT_FOUND: ErrorCode.not_found,
    HTTPStatus.METHOD_NOT_ALLOWED: ErrorCode.method_not_allowed,
    HTTPStatus.UNAUTHORIZED: ErrorCode.invalid_key,
    HTTPStatus.FORBIDDEN: ErrorCode.not_allowed,
}


@web.middleware
async def errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every exception into an error body, in the language asked for; a traceback goes to the log only."""
    with speaking(request.headers.get("Accept-Language")):
        return await _answered(request, handler)


async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except HearthError as error:
        status = STATUS.get(error.code, HTTPStatus.BAD_REQUEST)
        return _response(status, error.message, error.code, error.param, error.alternatives)
    except web.HTTPException as error:
        if error.status < HTTPStatus.BAD_REQUEST:
            raise
        return _from_http(request, error)
    except ConnectionResetError:
        raise  # the client is gone: nobody to tell
    except OSError as error:
        if error.errno == errno.ENOSPC:
            message = _("The agent's disk is full. Free some space, then send it again.")
            return _response(HTTPStatus.INSUFFICIENT_STORAGE, message, ErrorCode.insufficient_disk)
        return _unexpected(request, error)
    except Exception as error:
        return _unexpected(request, error)


@web.middleware
async def ask_for_key(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let in whoever has the key; the open paths need none."""
    resource = request.match_info.route.resource
    if resource is None or resource.canonical not in OPEN_PATHS:
        scheme, _space, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not given.strip():
            raise AgentError(
                _(
                    "The agent's key is missing. Send it as “Authorization: Bearer <key>”; it is in agent.key in the "
                    "agent's data folder."
                ),
                code=ErrorCode.invalid_key,
            )
        key = await request.app[KEYRING].find(given.strip())
        if key is None:
            raise AgentError(
                _(
                    "The agent does not know this key, or it was revoked. The owner's is in agent.key in the agent's "
                    "data folder, and “hearth-agent key add” makes another."
                ),
                code=ErrorCode.invalid_key,
            )
        request[GIVEN], request[KEY] = given.strip(), key
    return await handler(request)


def _from_http(request: web.Request, error: web.HTTPException) -> web.Response:
    status = HTTPStatus(error.status)
    code = _CODES.get(status, ErrorCode.invalid_request if status < 500 else ErrorCode.internal)
    messages = {
        HTTPStatus.NOT_FOUND: _(
            "There is no route {path!r}. /openapi.json lists all of them.", path=request.path[:200]
        ),
        HTTPStatus.METHOD_NOT_ALLOWED: _(
            "{path} does not take {method}.", path=request.path[:200], method=request.method
        ),
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: _("The body is too large; this route takes at most 1 MiB of JSON."),
    }
    response = _response(status, messages.get(status, error.text or error.reason), code)
    for name in ("Allow", "Content-Range"):
        if name in error.headers:
            response.headers[name] = error.headers[name]
    return response


def _unexpected(request: web.Request, error: Exception) -> web.Response:
    reference = secrets.token_hex(4)
    log.error("%s: %s %s failed", reference, request.method, request.path, exc_info=error)
    message = _("Something unexpected went wrong on the agent. Its log has it under {reference}.", reference=reference)
    return _response(HTTPStatus.INTERNAL_SERVER_ERROR, message, ErrorCode.internal)


def _response(
    status: HTTPStatus,
    message: str,
    code: ErrorCode,
    param: str | None = None,
    alternatives: tuple[Alternative, ...] = (),
) -> web.Response:
    kind = "server_error" if status >= 500 else "invalid_request_error"
    if status is HTTPStatus.UNAUTHORIZED:
        kind = "authentication_error"
    detail = ErrorDetail(message=message, type=kind, code=code, param=param, alternatives=alternatives)
    body = ErrorBody(error=detail)
    response = web.Response(body=body.model_dump_json().encode(), status=status, content_type="application/json")
    if status is HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response
