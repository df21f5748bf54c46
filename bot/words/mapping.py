"""How a file is read, as a person types it: question:Frage answer:Antwort, or assistant:Mia without:Tom. Pure."""

from typing import Any

from pydantic import ValidationError

from bot.errors import BadCallError
from shared.language import _
from shared.mapping import Mapping

READING = ("question", "answer", "system", "text", "assistant", "without")  # of Mapping


def read_mapping(reading: dict[str, Any]) -> Mapping:
    """Return what was typed; raise BadCallError where it does not go together."""
    try:
        return Mapping.model_validate(reading)
    except ValidationError as cause:
        raise BadCallError(
            _(
                "{words} do not go together. Name two columns, question:… and answer:…; or one, text:…; or of a chat "
                "assistant:… and without:….",
                words=", ".join(f"{name}:" for name in reading),
            ),
            param="mapping",
        ) from cause


def write_mapping(mapping: Mapping) -> list[str]:
    """Return how a file is read, as it is typed; the agent reads _ as a space."""
    said = [(name, getattr(mapping, name)) for name in READING if name != "without"]
    said += [("without", name) for name in mapping.without]
    return [f"{name}:{'_'.join(value.split())}" for name, value in said if value]
