"""Talks for the Modelfiles' templates, with what Go's text/template makes of each: recorded, since Go is not installed.

`python -m tests.agent.export.go_templates` records them anew; it needs Go (Debian: golang-go).
`make soak SOAK=modelfiles` holds the record against Go.
"""

import itertools
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from agent.data.fitting import fit
from agent.data.turns import Message
from agent.export.modelfile import find_family
from tests.agent.data.families import OWN_FAMILIES, template_of

RECORD = Path(__file__).with_name("go_renderings.json")
PROGRAM = Path(__file__).with_name("ollama_template.go")
BEGINS = ("<s>", "<bos>", "<|begin_of_text|>")  # of a text, which Ollama adds itself
SYSTEMS = ("", 'You are "Ruth"\\ of the {{lighthouse}} {% here %}.\nEin Satz, 猫 — mehr nicht.')
TURNS = ("Who are you?", "Ruth, of <Grey Rock> & 'its' light.", "And\n\n{{ .Content }} now?")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A talk that waits for its answer, under one model's template in Go."""

    family: str
    template: str
    messages: list[dict[str, str]]
    row: str  # what training shows the model of it

    @property
    def key(self) -> str:
        """Return what its rendering is recorded under."""
        return json.dumps([self.template, self.messages], ensure_ascii=False)


def asked() -> list[Asked]:
    """Return the talks, for every family that has a template in Go, with thoughts and without."""
    found = []
    for name, thinks in itertools.product(OWN_FAMILIES, (False, True)):
        template = template_of(name)
        if (family := find_family(template, thinks=thinks)) is None:
            continue
        for system, turns in itertools.product(SYSTEMS, (1, 3)):
            said = system or template.habits.own_system  # the Modelfile's SYSTEM
            talk = [Message(role="system", content=said)] if said else []
            talk += [
                Message(role="user" if at % 2 == 0 else "assistant", content=text)
                for at, text in enumerate(TURNS[:turns])
            ]
            row = template.prompt(fit(talk, template.habits), thinking=thinks)
            begin = next((begin for begin in BEGINS if row.startswith(begin)), "")
            messages = [{"role": turn.role, "content": turn.content} for turn in talk]
            found.append(Asked(family=name, template=family.go, messages=messages, row=row.removeprefix(begin)))
    return found


def rendered_by_go(talks: list[Asked]) -> dict[str, str]:
    """Return what Go makes of each talk, by its key. Raises FileNotFoundError where Go is not installed."""
    questions = [{"template": talk.template, "messages": talk.messages} for talk in talks]
    done = subprocess.run(
        ["go", "run", str(PROGRAM)],
        input=json.dumps(questions).encode(),
        stdout=subprocess.PIPE,
        check=True,
        timeout=300,
    )
    return dict(zip((talk.key for talk in talks), json.loads(done.stdout), strict=True))


def recorded() -> dict[str, str]:
    """Return what was recorded."""
    known: dict[str, str] = json.loads(RECORD.read_text(encoding="utf-8"))
    return known


if __name__ == "__main__":
    RECORD.write_text(json.dumps(rendered_by_go(asked()), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
