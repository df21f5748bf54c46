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
    here: bool = True  # on this machine; else it is downloaded first, after the owner's yes
    weights_bytes: int | None = None  # of the download
    gated: bool = False  # its licence must be accepted on Hugging Face first
    template: str | None = None  # the family of its chat template
    strengths: str | None = None  # in words
    memory_mib: int | None = None  # for QLoRA on one row of 512 tokens at a time
    usual_hours: float | None = None  # for 1,000 rows of 100 tokens, three times
    fits: bool | None = None  # in what is free now; None: not known before its config was read


class ModelList(Response):
    """Base models first: those that fit this machine, the best of them first."""

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
