"""Every way a request can fail: a closed list of codes, and the shape that carries them."""

from enum import StrEnum

from shared.plans import Alternative
from shared.schema import Response


class ErrorCode(StrEnum):
    """The closed list. Its value is the `code` of an error body."""

    invalid_request = "invalid_request"  # the JSON or a field of it is not what the route takes
    invalid_key = "invalid_key"  # the bearer key is missing or wrong
    not_found = "not_found"  # no such file, plan, job, model or route
    not_allowed = "not_allowed"  # the person may not do this
    pairing_code_wrong = "pairing_code_wrong"  # not the code that the agent shows, or there is none
    too_many_tries = "too_many_tries"  # at the pairing code
    method_not_allowed = "method_not_allowed"  # the route exists, not for this verb
    file_too_large = "file_too_large"
    too_much_at_once = "too_much_at_once"  # of one person, or behind one key; there is a sentence on when to come back
    too_much_stored = "too_much_stored"  # datasets of one person, or behind one key
    file_in_use = "file_in_use"  # an unfinished job needs the file
    dataset_empty = "dataset_empty"
    dataset_not_text = "dataset_not_text"
    dataset_broken = "dataset_broken"  # a line or the whole file does not parse
    dataset_unknown_form = "dataset_unknown_form"  # parses, but no known form fits its keys
    dataset_unclear = "dataset_unclear"  # its columns, or who is the assistant, has to be said with `mapping`
    dataset_too_small = "dataset_too_small"  # too few usable rows to split and train
    model_unknown = "model_unknown"
    model_is_path = "model_is_path"  # chat names models, never paths
    model_needs_approval = "model_needs_approval"  # from Hugging Face, and the owner has not said yes to it
    model_not_convertible = "model_not_convertible"  # llama.cpp cannot make a GGUF of it
    model_unusable = "model_unusable"  # broken, pickled, or needs remote code
    setting_invalid = "setting_invalid"  # unknown, out of range, or in conflict
    plan_expired = "plan_expired"
    insufficient_disk = "insufficient_disk"
    insufficient_memory = "insufficient_memory"
    idempotency_conflict = "idempotency_conflict"  # same key, other body
    job_finished = "job_finished"  # a finished job cannot be cancelled, paused or resumed
    job_not_running = "job_not_running"  # only a running job can be paused
    job_not_paused = "job_not_paused"  # only a paused job can be resumed
    training_diverged = "training_diverged"  # the loss became NaN or infinite
    export_failed = "export_failed"
    verification_failed = "verification_failed"  # the exported model is not the trained one
    model_busy = "model_busy"  # tuned models are asked one question at a time, and trainings go first
    model_failed = "model_failed"  # llama.cpp did not load it, or died or took too long over a question
    links_off = "links_off"  # the agent has no HEARTH_PUBLIC_URL
    link_invalid = "link_invalid"  # forged, cut off, or expired
    trainer_died = "trainer_died"  # ended without a last word
    store_unavailable = "store_unavailable"  # the agent's database is locked or its disk fails
    agent_unreachable = "agent_unreachable"  # said by the bot, never by the agent
    internal = "internal"


class HearthError(Exception):
    """Base of every error a person may see. Its text says what happened, the value, what to do next."""

    def __init__(
        self,
        message: str,
        *,
        code: ErrorCode,
        param: str | None = None,
        alternatives: tuple[Alternative, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param
        self.alternatives = alternatives


class ErrorDetail(Response):
    """OpenAI's error object."""

    message: str  # a sentence for a person
    type: str  # OpenAI's family: invalid_request_error, authentication_error, server_error
    code: ErrorCode
    param: str | None = None  # the field at fault
    alternatives: tuple[Alternative, ...] = ()  # ours: what would fit, of a plan that does not


class ErrorBody(Response):
    """The body of every response that is not a success."""

    error: ErrorDetail
