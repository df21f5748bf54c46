"""Base models one may name, and tuned ones that came out."""

from typing import Annotated, Literal

from pydantic import StringConstraints

from shared.people import RequestedBy
from shared.schema import Request, Response


class Model(Response):
    """OpenAI's model object, with what a person choosing one wants to know."""

    id: str  # smollm2-135m, or an Ollama name such as mia-support:v1
    object: Literal["model"] = "model"
    created: int
    owned_by: str  # the publisher; 'hearth' for a tuned one
    kind: Literal["base", "tuned"]
    parameters: int | None = None
    license: str | None = None
    base: str | None = None  # a tuned model's base
    job_id: str | None = None


class ModelList(Response):
    """Base models first."""

    object: Literal["list"] = "list"
    data: list[Model]


class ApprovalRequest(Request):
    """The body of POST /v1/models/approvals."""

    model: Annotated[str, StringConstraints(min_length=1, max_length=200)]  # a Hugging Face id
    requested_by: RequestedBy | None = None


class Approval(Response):
    """The owner's yes to a model from Hugging Face."""

    object: Literal["model.approval"] = "model.approval"
    model: str
    approved_at: int
