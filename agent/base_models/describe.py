"""The describe child: reads a base model's config, tokenizer and template into its card, offline and under limits.

`python -m agent.children agent.base_models.describe` reads a BaseModelSource on stdin and writes a DescribeReply on
stdout. What is read is a stranger's, so nothing of it is trusted: no network, no token, no code of its publisher.
"""

import os
import sys
import traceback
from pathlib import Path

from filelock import FileLock

from agent.base_models.card import BaseModelCard, DescribeReply
from agent.base_models.card_reader import describe_model
from agent.base_models.catalog import GGUFS, BaseModelSource, SourceKind
from agent.base_models.gguf_source import convert_small_files
from agent.base_models.hub import read_download
from agent.base_models.llama_cpp import keep_prepared, try_conversion
from agent.base_models.remote_code import refuse_remote_code
from agent.base_models.revision import files_revision, kept_card
from agent.base_models.weights import no_safetensors
from agent.children.limits import limit_in_words, limit_this_process
from agent.children.refusals import model_refusal
from agent.errors import AgentError
from shared.errors import ErrorCode, ErrorDetail
from shared.imports import collector_paused
from shared.language import _

# SmolLM2 takes 0.4 GiB and 12 s. A GGUF's weights are mapped, not held.
MEMORY_MIB, CPU_S, FILE_BYTES, OPEN_FILES = 8192, 500, 512 << 20, 1024


@collector_paused()  # it would go through the objects of a vocabulary again and again: a quarter of the time
def describe_source(source: BaseModelSource) -> BaseModelCard:
    """Read what the small files say, those of the hub once they were downloaded. Raises AgentError."""
    source.cache.mkdir(parents=True, exist_ok=True)
    with FileLock(source.cache / ".lock"):
        card = kept_card(source)
        if card is not None:
            return card
        folder, revision, license_name = _small_files(source)
        refuse_remote_code(source.name, folder)
        conversion = try_conversion(folder)
        if conversion.prepared is not None:
            keep_prepared(conversion.prepared, source.cache)
        card = describe_model(
            source.name, folder, revision=revision, license_name=license_name, gguf_problem=conversion.problem
        )
        card = card.model_copy(
            update={
                "local_folder": source.kind is SourceKind.folder,
                "of_gguf": source.kind in GGUFS,
            }
        )
        card.write(source.cache)
        return card


def _small_files(source: BaseModelSource) -> tuple[Path, str, str | None]:
    """Return the folder of config and tokenizer, the revision they are of, and the licence."""
    if source.kind is SourceKind.hub:
        download = read_download(source.cache)
        return source.cache / download.revision, download.revision, download.license
    revision = files_revision(source)
    if source.kind is SourceKind.folder:
        folder = Path(source.location)
        if not list(folder.glob("*.safetensors")):
            raise no_safetensors(source.name)
        return folder, revision, None
    folder = source.cache / revision
    convert_small_files(Path(source.location), folder)
    return folder, revision, "apache-2.0" if source.kind is SourceKind.packaged else None


def main() -> None:
    """Answer one request."""
    source = BaseModelSource.model_validate_json(sys.stdin.buffer.read())
    out = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints goes to the log, not into the reply
    limit_this_process(MEMORY_MIB, CPU_S, FILE_BYTES, open_files=OPEN_FILES, maps_files=True)
    os.write(out, _reply(source).model_dump_json().encode())


def _reply(source: BaseModelSource) -> DescribeReply:
    try:
        return DescribeReply(card=describe_source(source))
    except AgentError as error:
        return _refusal(error)
    except Exception as error:  # a broken model breaks its readers in many ways; the log has which
        traceback.print_exc()
        limit = limit_in_words(error, MEMORY_MIB, OPEN_FILES) if isinstance(error, MemoryError | OSError) else None
        return _refusal(model_refusal(source.name)(limit) if limit else _unreadable(source.name, error))


def _unreadable(name: str, error: Exception) -> AgentError:
    said = (str(error).splitlines() or [type(error).__name__])[0][:160]
    return AgentError(
        _(
            "{name} cannot be read as a language model ({said}). Choose another base model: /models.",
            name=name,
            said=said,
        ),
        code=ErrorCode.model_unusable,
    )


def _refusal(error: AgentError) -> DescribeReply:
    return DescribeReply(
        error=ErrorDetail(message=error.message, type="invalid_request_error", code=error.code, param=error.param)
    )
