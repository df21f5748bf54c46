"""Write the Modelfile, and read it back by Ollama's rules before trusting it. Pure but for the template it is given.

Ollama's parser (parser/parser.go) knows no escapes: a value is bare, in double quotes, or in triple quotes, and ends
at the first closing quote. So every value is parsed again, and one that does not come back as it was is left out.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from agent.data.character import Character
from agent.data.chat_template import ChatTemplate
from agent.data.template_habits import OPEN
from agent.data.turns import Message, Role, RowProblem

NUM_PREDICT_MIN = 256
TEMPERATURE = 0.3
TOOLS_SINCE = "0.30.0"  # Ollama offers tools through the chat template inside the GGUF, where ours in Go has none
PROBE = [
    Message(role="system", content="S0"),
    Message(role="user", content="U1"),
    Message(role="assistant", content="A1"),
    Message(role="user", content="U2"),
]


@dataclass(frozen=True, kw_only=True)
class TemplateFamily:
    """A chat format that Ollama's Go templates can express, beside the same format in Python to compare with."""

    name: str
    go: str
    turn: Callable[[Role, str], str]
    opening: str  # what invites the assistant


FAMILIES: tuple[TemplateFamily, ...] = (
    TemplateFamily(
        name="chatml",
        go="{{- range .Messages }}<|im_start|>{{ .Role }}\n{{ .Content }}<|im_end|>\n{{ end }}<|im_start|>assistant\n",
        turn=lambda role, text: f"<|im_start|>{role}\n{text}<|im_end|>\n",
        opening="<|im_start|>assistant\n",
    ),
    TemplateFamily(
        name="llama3",
        go=(
            "{{- range .Messages }}<|start_header_id|>{{ .Role }}<|end_header_id|>\n\n{{ .Content }}<|eot_id|>{{ end }}"
            "<|start_header_id|>assistant<|end_header_id|>\n\n"
        ),
        turn=lambda role, text: f"<|start_header_id|>{role}<|end_header_id|>\n\n{text}<|eot_id|>",
        opening="<|start_header_id|>assistant<|end_header_id|>\n\n",
    ),
    TemplateFamily(
        name="phi3",
        go="{{- range .Messages }}<|{{ .Role }}|>\n{{ .Content }}<|end|>\n{{ end }}<|assistant|>\n",
        turn=lambda role, text: f"<|{role}|>\n{text}<|end|>\n",
        opening="<|assistant|>\n",
    ),
    TemplateFamily(
        name="zephyr",
        go="{{- range .Messages }}<|{{ .Role }}|>\n{{ .Content }}</s>\n{{ end }}<|assistant|>\n",
        turn=lambda role, text: f"<|{role}|>\n{text}</s>\n",
        opening="<|assistant|>\n",
    ),
    TemplateFamily(
        name="gemma",
        go=(  # it has no system turn: such a text stands in front of the first question
            '{{- $system := "" }}{{- range .Messages }}{{- if eq .Role "system" }}{{- $system = .Content }}{{- else }}'
            '<start_of_turn>{{ if eq .Role "assistant" }}model{{ else }}{{ .Role }}{{ end }}\n'
            '{{ if $system }}{{ $system }}\n\n{{ $system = "" }}{{ end }}{{ .Content }}<end_of_turn>\n'
            "{{ end }}{{ end }}<start_of_turn>model\n"
        ),
        turn=lambda role, text: f"<start_of_turn>{'model' if role == 'assistant' else role}\n{text}<end_of_turn>\n",
        opening="<start_of_turn>model\n",
    ),
)


def find_family(template: ChatTemplate, *, thinks: bool = False) -> TemplateFamily | None:
    """Return the family whose rendering equals the model's own template on a probe; None when none does.

    What the prompt adds for a model that is not to think, or that is, belongs to it.
    """
    for probe in (PROBE, PROBE[1:]):  # some templates refuse a system turn
        try:
            rendered = template.prompt(probe, thinking=thinks)
        except RowProblem:
            continue
        for family in FAMILIES:
            body = "".join(family.turn(message.role, message.content) for message in probe) + family.opening
            before, found, after = rendered.partition(body)
            is_short = len(before) < len("<|begin_of_text|>") + 1  # the beginning of the text, which Ollama adds itself
            if found and is_short and (not after or after.startswith(OPEN)):
                return replace(family, go=family.go + after, opening=family.opening + after)
    return None


@dataclass(frozen=True, kw_only=True)
class ChatSettings:
    """What Ollama must know of a GGUF to talk with it as the training did; for the Modelfile and for its API."""

    template: str | None  # in Go; None: the chat template inside the GGUF applies
    system: str | None  # what the model is told when a chat tells it nothing
    stops: tuple[str, ...]  # every token that ends a turn
    num_predict: int  # tokens of an answer at most
    temperature: float = TEMPERATURE
    requires: str | None = None  # the Ollama that asks it as it was trained; None: any


def describe_model(
    *, template: ChatTemplate, stops: list[str], longest_answer: int, character: Character
) -> ChatSettings:
    """Describe a model from its base model's template, its ends of turn and its own character.

    `longest_answer` is in tokens.
    """
    family = find_family(template, thinks=character.asked_to_think)
    base_system = template.habits.own_system or None if family else None
    return ChatSettings(
        template=family.go if family else None,
        system=character.system or base_system,
        stops=tuple(stops),
        num_predict=max(NUM_PREDICT_MIN, 4 * longest_answer),
        requires=TOOLS_SINCE if character.tools else None,
    )


def write_modelfile(
    *,
    gguf_name: str,
    template: ChatTemplate,
    stops: list[str],
    longest_answer: int,
    character: Character,
    card_name: str,
) -> str:
    """Return the text of a Modelfile for a GGUF that lies beside it."""
    model = describe_model(template=template, stops=stops, longest_answer=longest_answer, character=character)
    lines = [
        f"# Fine-tuned from {card_name} with Hearth. Beside this file: ollama create NAME -f Modelfile",
        f"FROM ./{gguf_name}",
    ]
    if model.requires is not None:
        lines += ["# It was trained with tools, which go through the chat template inside the GGUF.",
                  f"REQUIRES {model.requires}"]  # fmt: skip
    if model.template is None:
        lines.append("# The chat template inside the GGUF applies.")
    else:
        lines.append(f'TEMPLATE """{model.template}"""')
    if model.system is not None and survives("system", model.system):
        lines.append(f'SYSTEM """{model.system}"""')
    elif model.system is not None:
        lines.append("# Its system text has characters that no Modelfile can hold; /set system TEXT says it in a chat.")
    lines += [f'PARAMETER stop "{stop}"' for stop in model.stops if survives("stop", stop)]
    lines.append(f"PARAMETER num_predict {model.num_predict}")
    lines.append(f"PARAMETER temperature {model.temperature}")
    return "\n".join(lines) + "\n"


def survives(command: str, value: str) -> bool:
    """Tell whether a quoted value comes back unchanged through a parser of Ollama's rules."""
    line = f'PARAMETER stop "{value}"' if command == "stop" else f'{command.upper()} """{value}"""'
    try:
        parsed = parse_modelfile(f"FROM ./x.gguf\n{line}\nPARAMETER num_predict 1\n")
    except ValueError:
        return False
    return parsed == [("from", "./x.gguf"), (command, value), ("num_predict", "1")]


def parse_modelfile(text: str) -> list[tuple[str, str]]:
    """Read a Modelfile as Ollama does: (command, value) in order, a PARAMETER under its own name.

    Raises ValueError on an unknown command, an unclosed quote, or a missing FROM.
    """
    commands: list[tuple[str, str]] = []
    rest = "".join(c for c in text if c.isprintable() or c in "\n\t")
    while rest := rest.lstrip():
        if rest.startswith("#"):
            rest = rest.partition("\n")[2]
            continue
        word, rest = _word(rest)
        if word.lower() == "parameter":
            word, rest = _word(rest)
        elif word.lower() not in ("from", "template", "system", "license", "adapter", "message", "requires"):
            raise ValueError(f"unknown command {word!r}")
        value, rest = _value(rest.lstrip(" \t"))
        commands.append((word.lower(), value))
    if not any(command == "from" for command, _ in commands):
        raise ValueError("no FROM line")
    return commands


def _word(text: str) -> tuple[str, str]:
    text = text.lstrip(" \t")
    word = text.split(maxsplit=1)[0] if text.strip() else ""
    return word, text[len(word) :]


def _value(text: str) -> tuple[str, str]:
    for quote in ('"""', '"'):
        if not text.startswith(quote):
            continue
        # The value ends at the first line end where the buffer closes its quote; an inner quote does not end it.
        at = len(quote)
        while (end := text.find("\n", at)) >= 0 or at <= len(text):
            end = len(text) if end < 0 else end
            if text[:end].endswith(quote) and end >= 2 * len(quote):
                return text[len(quote) : end - len(quote)], text[end:]
            if end == len(text):
                break
            at = end + 1
        raise ValueError("a quote is never closed")
    line, _, rest = text.partition("\n")
    return line.strip(), rest
