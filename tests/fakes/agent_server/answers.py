"""How the fake agent answers: a model as JSON, or a refusal."""

from aiohttp import web
from pydantic import BaseModel

from shared.errors import ErrorBody, ErrorCode, ErrorDetail


def refusal(code: ErrorCode, message: str) -> ErrorDetail:
    """Return what a switch makes the agent say."""
    return ErrorDetail(message=message, type="invalid_request_error", code=code)


def answer(body: BaseModel, *, status: int = 200) -> web.Response:
    return web.Response(text=body.model_dump_json(), content_type="application/json", status=status)


def refuse(code: ErrorCode, message: str, *, status: int) -> web.Response:
    return answer(ErrorBody(error=refusal(code, message)), status=status)
