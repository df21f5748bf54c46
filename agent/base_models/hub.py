"""A base model from the Hugging Face hub: pinned to a commit, checked for size, safetensors and tokenizer alone."""

import errno
import shutil
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

from agent.base_models.catalog import BaseModelSource
from agent.errors import AgentError
from agent.job_folder.durable import replace_file
from shared.errors import ErrorCode
from shared.language import _, decimal
from shared.schema import Response

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
DOWNLOAD_FILE = "download.json"  # in the cache folder of its model
SMALL_BYTES = 256 << 20  # of all small files together: the largest tokenizers have a tenth of it


def chosen(names: Iterable[str], patterns: list[str]) -> list[str]:
    """Return the files at the top of a repository that fit a pattern, by their names alone.

    A folder's never do, though `*` would reach into it, nor a name in which the hub's client would see a pattern.
    """
    plain = (name for name in names if not set(name) & set("/\\*?["))
    return sorted(name for name in plain if any(fnmatchcase(name, pattern) for pattern in patterns))


class Download(Response):
    """What the hub said of the small files that were downloaded; they lie in a folder of the commit's name."""

    revision: str  # the commit
    license: str | None


def read_download(cache: Path) -> Download:
    """Read what `download_small_files` kept."""
    return Download.model_validate_json((cache / DOWNLOAD_FILE).read_bytes())


def download_small_files(source: BaseModelSource) -> None:
    """Bring config and tokenizer into the cache, at the newest commit. Raises AgentError."""
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    try:
        info = HfApi().model_info(source.location, files_metadata=True)
        sizes = {file.rfilename: file.size or 0 for file in info.siblings or []}
        _check_hub_files(source, sizes)
        revision = str(info.sha)
        folder = source.cache / revision
        small = chosen(sizes, SMALL_FILES)
        snapshot_download(source.location, revision=revision, allow_patterns=small, local_dir=folder)
    except GatedRepoError as error:
        raise AgentError(
            _(
                "{name} is gated: accept its licence on its Hugging Face page, then set HF_TOKEN on the GPU machine.",
                name=source.name,
            ),
            code=ErrorCode.model_unusable,
            param="model",
        ) from error
    except RepositoryNotFoundError as error:
        raise AgentError(
            _(
                "Hugging Face has no model “{name}”, or it is private. Check the spelling; /models lists "
                "what is here already.",
                name=source.name,
            ),
            code=ErrorCode.model_unknown,
            param="model",
        ) from error
    except AgentError:
        raise
    except Exception as error:  # the hub's client lets the errors of its own HTTP library through
        raise AgentError(
            _(
                "{name} could not be fetched from Hugging Face ({kind}). Check the GPU machine's "
                "network, or use a model that is here already: /models.",
                name=source.name,
                kind=type(error).__name__,
            ),
            code=ErrorCode.model_unknown,
            param="model",
        ) from error
    replace_file(folder / "weights_bytes", str(_weights_bytes(sizes)).encode())
    kept = Download(revision=revision, license=getattr(info.card_data, "license", None))
    replace_file(source.cache / DOWNLOAD_FILE, kept.model_dump_json().encode())


def _weights_bytes(sizes: dict[str, int]) -> int:
    return sum(sizes[name] for name in chosen(sizes, WEIGHT_FILES) if name.endswith(".safetensors"))


def _check_hub_files(source: BaseModelSource, sizes: dict[str, int]) -> None:
    if not _weights_bytes(sizes):
        raise AgentError(
            _(
                "{name} offers no safetensors weights; pickled ones are never loaded. Choose another model.",
                name=source.name,
            ),
            code=ErrorCode.model_unusable,
            param="model",
        )
    small = sum(sizes[name] for name in chosen(sizes, SMALL_FILES))
    if small > SMALL_BYTES:
        raise AgentError(
            _(
                "{name} has {size} MiB of tokenizer and settings, and at most {limit} MiB are fetched of those. Choose "
                "another model.",
                name=source.name,
                size=decimal(small / 2**20, 0),
                limit=SMALL_BYTES >> 20,
            ),
            code=ErrorCode.model_unusable,
            param="model",
        )
    free = shutil.disk_usage(source.cache).free
    if _weights_bytes(sizes) > free * 0.9:
        raise AgentError(
            _(
                "{name} needs {needed} GiB on disk, {free} GiB are free. Free some space on the "
                "GPU machine or choose a smaller model.",
                name=source.name,
                needed=decimal(_weights_bytes(sizes) / 2**30, 1),
                free=decimal(free / 2**30, 1),
            ),
            code=ErrorCode.insufficient_disk,
            param="model",
        )


def download_weights(repo: str, revision: str, folder: Path) -> None:
    """Bring the weights of a commit into `folder`; what is there already is kept. Raises AgentError."""
    from huggingface_hub import HfApi, snapshot_download

    try:
        names = [file.rfilename for file in HfApi().model_info(repo, revision=revision).siblings or []]
        weights = chosen(names, WEIGHT_FILES)
        snapshot_download(repo, revision=revision, allow_patterns=weights, local_dir=folder)
    except Exception as error:  # the hub's client lets the errors of its own HTTP library through
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise
        raise AgentError(
            _(
                "The weights of {repo} could not be fetched from Hugging Face ({kind}). What is here "
                "is kept: start the job again when the GPU machine's network is back.",
                repo=repo,
                kind=type(error).__name__,
            ),
            code=ErrorCode.model_unusable,
            param="model",
        ) from error
