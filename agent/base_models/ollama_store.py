"""The models that lie in the local Ollama, found in its own folder and read as the GGUF files they are.

Layout as of Ollama 0.12: `manifests/registry.ollama.ai/<owner>/<model>/<tag>` is a JSON with `layers`, each with a
`mediaType`, a `digest` and a `size`; the bytes lie in `blobs/sha256-<hex>`. Nothing there is written, and no layer but
the weights is read.
"""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REGISTRY = "registry.ollama.ai"
LIBRARY = "library"  # the owner that is not said
WEIGHTS = "application/vnd.ollama.image.model"
NEEDS_MORE = {"application/vnd.ollama.image.adapter", "application/vnd.ollama.image.projector"}  # than the weights
NAME = re.compile(r"(?:[A-Za-z0-9][\w.-]{0,95}/)?[A-Za-z0-9][\w.-]{0,95}:[\w.-]{1,96}")
MANIFEST_BYTES = 1 << 20
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_USUAL = ("~/.ollama/models", "/usr/share/ollama/.ollama/models", "/var/lib/ollama/.ollama/models", "/var/lib/ollama")


@dataclass(frozen=True, kw_only=True)
class OllamaModel:
    """One model there."""

    name: str  # llama3.2:1b, or owner/model:tag
    weights: Path  # a GGUF


def usual_folder() -> Path | None:
    """Return where an Ollama on this machine keeps its models, if this account may look there."""
    for place in _USUAL:
        folder = Path(place).expanduser()
        if (folder / "manifests").is_dir() and os.access(folder / "manifests", os.R_OK | os.X_OK):
            return folder
    return None


def models_in(folder: Path) -> Iterator[OllamaModel]:
    """Yield the models whose weights are one GGUF that may be read; others, and what is damaged, are passed over."""
    root = folder / "manifests" / REGISTRY
    try:
        manifests = sorted(path for path in root.glob("*/*/*") if path.is_file())
    except OSError:
        return
    for path in manifests:
        owner, model, tag = path.relative_to(root).parts
        name = f"{model}:{tag}" if owner == LIBRARY else f"{owner}/{model}:{tag}"
        weights = _weights(path, folder)
        if weights is not None and NAME.fullmatch(name):
            yield OllamaModel(name=name, weights=weights)


def _weights(manifest: Path, folder: Path) -> Path | None:
    layers = _layers(manifest)
    kinds = [layer.get("mediaType") for layer in layers]
    if kinds.count(WEIGHTS) != 1 or NEEDS_MORE & set(kinds):
        return None
    digest = _DIGEST.fullmatch(str(layers[kinds.index(WEIGHTS)].get("digest")))
    if digest is None:
        return None
    blob = folder / "blobs" / f"sha256-{digest[1]}"
    return blob if blob.is_file() and os.access(blob, os.R_OK) else None


def _layers(manifest: Path) -> list[dict[str, Any]]:
    try:
        if manifest.stat().st_size > MANIFEST_BYTES:
            return []
        layers = json.loads(manifest.read_bytes()).get("layers", [])
    except (OSError, ValueError, AttributeError):
        return []
    return [layer for layer in layers if isinstance(layer, dict)] if isinstance(layers, list) else []
