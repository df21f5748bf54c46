"""A model whose config asks for its publisher's code is refused before anything loads it."""

import json
from pathlib import Path
from typing import Any

from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.language import _


def refuse_remote_code(name: str, folder: Path) -> None:
    """Refuse a config that asks for code, wherever in it that is said (CVE-2026-5241). Raises AgentError."""
    for path in sorted(folder.glob("*.json")):
        if path.name == "tokenizer.json":
            continue
        if found := _forbidden_key(json.loads(path.read_text(encoding="utf-8"))):
            raise AgentError(
                _(
                    "{name} cannot be used: its {file} contains “{found}”, which would run code from "
                    "its publisher. Choose a model whose architecture is built into transformers.",
                    name=name,
                    file=path.name,
                    found=found,
                ),
                code=ErrorCode.model_unusable,
                param="model",
            )


def _forbidden_key(value: Any) -> str | None:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("auto_map", "trust_remote_code"):
                return str(key)
            if found := _forbidden_key(inner):
                return found
    if isinstance(value, list):
        for inner in value:
            if found := _forbidden_key(inner):
                return found
    return None
