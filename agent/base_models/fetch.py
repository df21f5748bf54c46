"""The fetch child: brings one base model onto this disk and describes it. It alone has the network.

`python -m agent.base_models.fetch` reads a BaseModelSource on stdin and writes a FetchReply on stdout.
Takes config, tokenizer and safetensors, nothing else; refuses whatever would need code of its publisher.
"""

import hashlib
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

from filelock import FileLock

from agent.base_models.card import WEIGHTS_COMPLETE, BaseModelCard, FetchReply, read_card, weights_present
from agent.base_models.catalog import BaseModelSource, SourceKind
from agent.base_models.describe import describe_model
from agent.base_models.gguf_source import convert_small_files, convert_weights
from agent.base_models.hub import download_small_files, download_weights
from agent.errors import AgentError
from agent.job_folder import file_sha256, replace_file
from agent.llama_cpp import keep_prepared, try_conversion
from shared.errors import ErrorCode, ErrorDetail
from shared.language import _


def fetch_card(source: BaseModelSource) -> BaseModelCard:
    """Fetch what is needed to read data as the model would: config, tokenizer, template. Raises AgentError."""
    source.cache.mkdir(parents=True, exist_ok=True)
    with FileLock(source.cache / ".lock"):
        card = read_card(source.cache)
        if card is not None and card.gguf_problem:
            card = None  # the next llama.cpp may convert what an older one did not
        if card is not None and (source.kind is SourceKind.hub or card.revision == files_revision(source)):
            return card  # a hub model stays at the commit it was first pinned to
        folder, revision, license_name = _small_files(source)
        refuse_remote_code(source.name, folder)
        conversion = try_conversion(folder)
        if conversion.prepared is not None:
            keep_prepared(conversion.prepared, source.cache)
        card = describe_model(
            source.name, folder, revision=revision, license_name=license_name, gguf_problem=conversion.problem
        )
        card = card.model_copy(update={"local_folder": source.kind is SourceKind.folder})
        card.write(source.cache)
        return card


def fetch_weights(source: BaseModelSource, card: BaseModelCard) -> None:
    """Bring the weights beside the small files, once. Raises AgentError."""
    folder = Path(card.folder)
    with FileLock(source.cache / ".lock"):
        if weights_present(card):
            return
        if source.kind in (SourceKind.packaged, SourceKind.gguf):
            convert_weights(Path(source.location), folder)
        elif source.kind is SourceKind.hub:
            download_weights(source.location, card.revision, folder)
        else:
            raise AgentError(
                _(
                    "{name} has no *.safetensors file. Save the model with safetensors; pickled weights "
                    "(.bin, .pt) are never loaded.",
                    name=source.name,
                ),
                code=ErrorCode.model_unusable,
                param="model",
            )
        replace_file(folder / WEIGHTS_COMPLETE, b"")


def files_revision(source: BaseModelSource) -> str:
    """Return 40 hex digits that change when any file of a local model does.

    The packaged model's are those of its content, the same on every machine; of others, names, sizes and times, since
    reading tens of gigabytes to look at a dataset would take minutes.
    """
    path = Path(source.location)
    if source.kind is SourceKind.packaged:
        return file_sha256(path)[:40]
    files = [path] if path.is_file() else sorted(p for p in path.iterdir() if p.is_file())
    stamps = [[p.name, p.stat().st_size, p.stat().st_mtime_ns] for p in files]
    return hashlib.sha256(json.dumps(stamps).encode()).hexdigest()[:40]


def refuse_remote_code(name: str, folder: Path) -> None:
    """Refuse a config that asks for its publisher's code, wherever in it that is said (CVE-2026-5241)."""
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


def _small_files(source: BaseModelSource) -> tuple[Path, str, str | None]:
    if source.kind is SourceKind.folder:
        folder = Path(source.location)
        if not list(folder.glob("*.safetensors")):
            raise AgentError(
                _(
                    "{name} has no *.safetensors file. Save the model with safetensors; pickled weights "
                    "(.bin, .pt) are never loaded.",
                    name=source.name,
                ),
                code=ErrorCode.model_unusable,
                param="model",
            )
        return folder, files_revision(source), None
    if source.kind is SourceKind.hub:
        return download_small_files(source)
    revision = files_revision(source)
    folder = source.cache / revision
    convert_small_files(Path(source.location), folder)
    return folder, revision, "apache-2.0" if source.kind is SourceKind.packaged else None


def main() -> None:
    """Answer one request."""
    source = BaseModelSource.model_validate_json(sys.stdin.buffer.read())
    out = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints goes to the log, not into the reply
    try:
        reply = FetchReply(card=fetch_card(source))
    except AgentError as error:
        detail = ErrorDetail(message=error.message, type="invalid_request_error", code=error.code, param=error.param)
        reply = FetchReply(error=detail)
    except Exception as error:  # a broken model breaks its readers in many ways; the log has which
        traceback.print_exc()
        said = (str(error).splitlines() or [type(error).__name__])[0][:160]
        message = _(
            "{name} cannot be read as a language model ({said}). Choose another base model: /models.",
            name=source.name,
            said=said,
        )
        reply = FetchReply(
            error=ErrorDetail(message=message, type="invalid_request_error", code=ErrorCode.model_unusable)
        )
    os.write(out, reply.model_dump_json().encode())


if __name__ == "__main__":
    main()
