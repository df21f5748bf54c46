"""Base models one may name, and tuned ones that came out."""

from typing import Literal

from shared.schema import Response


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
