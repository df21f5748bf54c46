"""The fetch child: brings one base model onto this disk and describes it. It alone has the network.

`python -m agent.base_models.fetch` reads a BaseModelSource on stdin and writes a FetchReply on stdout.
Takes config, tokenizer and safetensors, nothing else; refuses whatever would need code of its publisher.
"""

import errno
import hashlib
import json
import os
import shutil
import sys
import traceback
from pathlib import Path
from typing import Any

from filelock import FileLock

from agent.base_models.card import WEIGHTS_COMPLETE, BaseModelCard, FetchReply, read_card, weights_present
from agent.base_models.catalog import BaseModelSource, SourceKind
from agent.base_models.describe import describe_model
from agent.errors import AgentError
from agent.job_folder import file_sha256, replace_file
from shared.errors import ErrorCode, ErrorDetail

SMALL_FILES = [
    "config.json",
    "generation_config.json",
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "chat_template*",
]
WEIGHT_FILES = ["model*.safetensors", "model.safetensors.index.json"]


def fetch_card(source: BaseModelSource) -> BaseModelCard:
    """Fetch what is needed to read data as the model would: config, tokenizer, template. Raises AgentError."""
    source.cache.mkdir(parents=True, exist_ok=True)
    with FileLock(source.cache / ".lock"):
        card = read_card(source.cache)
        if card is not None and (source.kind is SourceKind.hub or card.revision == files_revision(source)):
            return card  # a hub model stays at the commit it was first pinned to
        folder, revision, license_name = _small_files(source)
        refuse_remote_code(source.name, folder)
        card = describe_model(source.name, folder, revision=revision, license_name=license_name)
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
            _dequantize_gguf(Path(source.location), folder)
        elif source.kind is SourceKind.hub:
            _download_weights(source.location, card.revision, folder)
        else:
            raise AgentError(
                f"{source.name} has no *.safetensors file. Save the model with safetensors; pickled weights "
                "(.bin, .pt) are never loaded.",
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
                f"{name} cannot be used: its {path.name} contains “{found}”, which would run code from its publisher. "
                "Choose a model whose architecture is built into transformers.",
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
                f"{source.name} has no *.safetensors file. Save the model with safetensors; pickled weights "
                "(.bin, .pt) are never loaded.",
                code=ErrorCode.model_unusable,
                param="model",
            )
        return folder, files_revision(source), None
    if source.kind is SourceKind.hub:
        return _download_small_files(source)
    revision = files_revision(source)
    folder = source.cache / revision
    _gguf_small_files(Path(source.location), folder)
    return folder, revision, "apache-2.0" if source.kind is SourceKind.packaged else None


def _gguf_small_files(file: Path, folder: Path) -> None:
    from transformers import AutoConfig, AutoTokenizer, GenerationConfig
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name).save_pretrained(folder)
    config = AutoConfig.from_pretrained(file.parent, gguf_file=file.name)
    config.architectures = [MODEL_FOR_CAUSAL_LM_MAPPING_NAMES[config.model_type]]  # the converter asks for it
    config.save_pretrained(folder)
    GenerationConfig.from_model_config(config).save_pretrained(folder)


def _dequantize_gguf(file: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.bfloat16)
    # Saving is refused while the loader's quantizer is attached, although the weights are plain bf16 by now.
    model.hf_quantizer = None  # type: ignore[assignment]  # transformers sets these without declaring them
    model.is_quantized = False  # type: ignore[assignment]
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    staging = folder.with_name(folder.name + ".staging")
    shutil.rmtree(staging, ignore_errors=True)
    model.save_pretrained(staging)
    for weights in sorted(staging.glob("model*")):
        weights.replace(folder / weights.name)
    shutil.rmtree(staging)


def _download_small_files(source: BaseModelSource) -> tuple[Path, str, str | None]:
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    try:
        info = HfApi().model_info(source.location, files_metadata=True)
        sizes = {file.rfilename: file.size or 0 for file in info.siblings or []}
        _check_hub_files(source, sizes)
        revision = str(info.sha)
        folder = source.cache / revision
        snapshot_download(source.location, revision=revision, allow_patterns=SMALL_FILES, local_dir=folder)
    except GatedRepoError as error:
        raise AgentError(
            f"{source.name} is gated: accept its licence on its Hugging Face page, then set HF_TOKEN on the GPU "
            "machine.",
            code=ErrorCode.model_unusable,
            param="model",
        ) from error
    except RepositoryNotFoundError as error:
        raise AgentError(
            f"Hugging Face has no model “{source.name}”, or it is private. Check the spelling; /models lists what is "
            "here already.",
            code=ErrorCode.model_unknown,
            param="model",
        ) from error
    except AgentError:
        raise
    except Exception as error:  # the hub's client lets the errors of its own HTTP library through
        raise AgentError(
            f"{source.name} could not be fetched from Hugging Face ({type(error).__name__}). Check the GPU machine's "
            "network, or use a model that is here already: /models.",
            code=ErrorCode.model_unknown,
            param="model",
        ) from error
    replace_file(folder / "weights_bytes", str(_weights_bytes(sizes)).encode())
    return folder, revision, getattr(info.card_data, "license", None)


def _weights_bytes(sizes: dict[str, int]) -> int:
    return sum(size for name, size in sizes.items() if name.endswith(".safetensors") and "/" not in name)


def _check_hub_files(source: BaseModelSource, sizes: dict[str, int]) -> None:
    if not _weights_bytes(sizes):
        raise AgentError(
            f"{source.name} offers no safetensors weights; pickled ones are never loaded. Choose another model.",
            code=ErrorCode.model_unusable,
            param="model",
        )
    free = shutil.disk_usage(source.cache).free
    if _weights_bytes(sizes) > free * 0.9:
        raise AgentError(
            f"{source.name} needs {_weights_bytes(sizes) / 2**30:.1f} GiB on disk, {free / 2**30:.1f} GiB are free. "
            "Free some space on the GPU machine or choose a smaller model.",
            code=ErrorCode.insufficient_disk,
            param="model",
        )


def _download_weights(repo: str, revision: str, folder: Path) -> None:
    from huggingface_hub import snapshot_download

    try:
        snapshot_download(repo, revision=revision, allow_patterns=WEIGHT_FILES, local_dir=folder)
    except Exception as error:  # the hub's client lets the errors of its own HTTP library through
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise
        raise AgentError(
            f"The weights of {repo} could not be fetched from Hugging Face ({type(error).__name__}). What is here is "
            "kept: start the job again when the GPU machine's network is back.",
            code=ErrorCode.model_unusable,
            param="model",
        ) from error


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
        message = f"{source.name} cannot be read as a language model ({said}). Choose another base model: /models."
        reply = FetchReply(
            error=ErrorDetail(message=message, type="invalid_request_error", code=ErrorCode.model_unusable)
        )
    os.write(out, reply.model_dump_json().encode())


if __name__ == "__main__":
    main()
