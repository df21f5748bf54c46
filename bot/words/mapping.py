"""How a file is read, as a person types it: question:Frage answer:Antwort, or assistant:Mia without:Tom. Pure.

And who the model is to be: character:"You are Ruth, a pirate."
"""

from typing import Any

from pydantic import ValidationError

from bot.errors import BadCallError
from bot.words.arguments import quoted, unescaped
from shared.language import _
from shared.mapping import CHARACTER_LENGTH, Mapping

READING = ("question", "answer", "system", "text", "assistant", "without", "character")  # of Mapping


def read_mapping(reading: dict[str, Any]) -> Mapping:
    """Return what was typed; raise BadCallError where it does not go together."""
    # Without the two columns beside which it would be a third one, `system` is the text itself.
    if "system" in reading and not {"question", "answer"} & reading.keys():
        reading = {"character" if name == "system" else name: value for name, value in reading.items()}
    if "character" in reading:
        reading = reading | {"character": unescaped(reading["character"])}
    try:
        return Mapping.model_validate(reading)
    except ValidationError as cause:
        raise BadCallError(
            _(
                "{words} do not go together. Name two columns, question:… and answer:…; or one, text:…; or of a chat "
                "assistant:… and without:…. Who the model is to be has up to {limit} characters, "
                'character:"You are Ruth."',
                words=", ".join(f"{name}:" for name in reading),
                limit=CHARACTER_LENGTH,
            ),
            param="mapping",
        ) from cause


def combined(said: Mapping | None, known: Mapping | None) -> Mapping | None:
    """Return what was said over what is known of a file; raise BadCallError where that does not go together."""
    if said is None or known is None:
        return said or known
    try:
        return said.over(known)
    except ValidationError as cause:
        raise BadCallError(
            _("A character goes to who answers; in a text that is learned whole nobody does. Leave one of them out."),
            param="mapping",
        ) from cause


def write_mapping(mapping: Mapping) -> list[str]:
    """Return how a file is read, as it is typed; the agent reads _ as a space."""
    said = [(name, getattr(mapping, name)) for name in READING if name not in {"without", "character"}]
    said += [("without", name) for name in mapping.without]
    words = [f"{name}:{'_'.join(value.split())}" for name, value in said if value]
    return [*words, *write_character(mapping)]


def write_character(mapping: Mapping | None) -> list[str]:
    """Return who the model is to be, as it is typed; nothing where nobody said."""
    if mapping is None or mapping.character is None:
        return []
    return [quoted("character", mapping.character)]
