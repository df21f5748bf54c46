"""Ask the children what a dataset and a base model are: each in its own process, under limits, then gone."""

import asyncio
import logging
import os
import sys
from pathlib import Path

from agent.base_models.card import BaseModelCard, FetchReply
from agent.base_models.catalog import SourceKind, find_base_model
from agent.data.findings import Findings, InspectReply, InspectRequest
from agent.errors import AgentError
from agent.settings import AgentSettings
from shared.errors import ErrorCode, ErrorDetail

FETCH_LIMIT_S = 600.0
INSPECT_LIMIT_S = 600.0
INHERITED = (
    "PATH",
    "HOME",
    "LD_LIBRARY_PATH",
    "SYSTEMROOT",
    "TMPDIR",
    "HF_ENDPOINT",
    "SSL_CERT_FILE",
    "CUDA_VISIBLE_DEVICES",
)

logger = logging.getLogger(__name__)


class Inspector:
    """Runs the fetch and inspect children."""

    def __init__(self, settings: AgentSettings) -> None:
        self._settings = settings

    async def describe(self, model: str) -> BaseModelCard:
        """Return the card of a base model, fetching its small files the first time. Raises AgentError."""
        source = find_base_model(model, self._settings)
        environment = child_environment(offline=source.kind is not SourceKind.hub)
        if source.kind is SourceKind.hub and self._settings.hf_token is not None:
            environment["HF_TOKEN"] = self._settings.hf_token.get_secret_value()
        output = await run_child("agent.base_models.fetch", source.model_dump_json(), environment, FETCH_LIMIT_S)
        reply = FetchReply.model_validate_json(output)
        if reply.error is not None or reply.card is None:
            raise _as_error(reply.error)
        if reply.card.gguf_problem:
            raise AgentError(
                f"{model} cannot become a GGUF, so Ollama could not run the result: {reply.card.gguf_problem}. "
                "Choose another base model; /models lists those that work.",
                code=ErrorCode.model_not_convertible,
                param="model",
            )
        return reply.card

    async def inspect(self, *, dataset: Path, model: str) -> tuple[BaseModelCard, Findings]:
        """Return what the dataset holds as `model` sees it. Raises AgentError."""
        card = await self.describe(model)
        request = InspectRequest(dataset=str(dataset), card=card)
        output = await run_child(
            "agent.data.inspect", request.model_dump_json(), child_environment(offline=True), INSPECT_LIMIT_S
        )
        reply = InspectReply.model_validate_json(output)
        if reply.error is not None or reply.findings is None:
            raise _as_error(reply.error)
        return card, reply.findings


def child_environment(*, offline: bool) -> dict[str, str]:
    """Build a child's environment from nothing: no secret of the agent is in it."""
    keep = (
        "PATH",
        "HOME",
        "LD_LIBRARY_PATH",
        "SYSTEMROOT",
        "TMPDIR",
        "HF_ENDPOINT",
        "SSL_CERT_FILE",
        "CUDA_VISIBLE_DEVICES",
    )
    environment = {name: os.environ[name] for name in keep if name in os.environ}
    environment |= {
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "NO_LOCAL_GGUF": "1",  # llama.cpp's converter uses the installed gguf, not its vendored copy
    }
    if offline:
        environment |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    return environment


async def run_child(module: str, request: str, environment: dict[str, str], limit_s: float) -> bytes:
    """Run `python -m module`, give it `request`, return its stdout. Raises AgentError when it dies or hangs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
        start_new_session=True,
    )
    try:
        output, errors = await asyncio.wait_for(process.communicate(request.encode()), limit_s)
    except TimeoutError as error:
        raise AgentError(
            f"Reading it took longer than {limit_s:.0f} s and was stopped. Send a smaller or simpler file.",
            code=ErrorCode.dataset_broken,
        ) from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        logger.error("%s ended with %s: %s", module, process.returncode, errors.decode(errors="replace")[-2000:])
        raise AgentError(
            f"Reading it ended unexpectedly (exit {process.returncode}), perhaps at a memory or time limit. "
            "Send a smaller or simpler file; the agent's log has the details.",
            code=ErrorCode.dataset_broken,
        )
    return output


def _as_error(detail: ErrorDetail | None) -> AgentError:
    if detail is None:
        return AgentError(
            "A helper process gave no answer. Try again; the agent's log has the details.", code=ErrorCode.internal
        )
    return AgentError(detail.message, code=detail.code, param=detail.param)
