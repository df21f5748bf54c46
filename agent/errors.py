"""The agent's one kind of error: a sentence for a person, a code from the closed list, an HTTP status."""

from http import HTTPStatus

from shared.errors import ErrorCode, HearthError

STATUS: dict[ErrorCode, HTTPStatus] = {
    ErrorCode.invalid_key: HTTPStatus.UNAUTHORIZED,
    ErrorCode.not_allowed: HTTPStatus.FORBIDDEN,
    ErrorCode.pairing_code_wrong: HTTPStatus.FORBIDDEN,
    ErrorCode.too_many_tries: HTTPStatus.TOO_MANY_REQUESTS,
    ErrorCode.too_much_at_once: HTTPStatus.TOO_MANY_REQUESTS,
    ErrorCode.too_much_stored: HTTPStatus.INSUFFICIENT_STORAGE,
    ErrorCode.model_needs_approval: HTTPStatus.FORBIDDEN,
    ErrorCode.not_found: HTTPStatus.NOT_FOUND,
    ErrorCode.method_not_allowed: HTTPStatus.METHOD_NOT_ALLOWED,
    ErrorCode.file_too_large: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    ErrorCode.file_in_use: HTTPStatus.CONFLICT,
    ErrorCode.job_finished: HTTPStatus.CONFLICT,
    ErrorCode.job_not_running: HTTPStatus.CONFLICT,
    ErrorCode.job_not_paused: HTTPStatus.CONFLICT,
    ErrorCode.insufficient_disk: HTTPStatus.INSUFFICIENT_STORAGE,
    ErrorCode.store_unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorCode.model_busy: HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorCode.model_failed: HTTPStatus.INTERNAL_SERVER_ERROR,
    ErrorCode.link_invalid: HTTPStatus.FORBIDDEN,
    ErrorCode.idempotency_conflict: HTTPStatus.UNPROCESSABLE_ENTITY,
    ErrorCode.internal: HTTPStatus.INTERNAL_SERVER_ERROR,
}


class AgentError(HearthError):
    """Raised anywhere in the agent or its children; the API turns it into an error body."""

    @property
    def status(self) -> HTTPStatus:
        """Return the HTTP status of the error: 400 unless the code has one of its own."""
        return STATUS.get(self.code, HTTPStatus.BAD_REQUEST)
