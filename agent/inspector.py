"""Ask the children what a dataset and a base model are: each in its own process, under limits, then gone."""

import asyncio
import contextlib
import logging
import signal
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from agent.base_models.card import BaseModelCard, FetchReply
from agent.base_models.catalog import BaseModelSource, SourceKind, find_base_model
from agent.child_environment import child_environment
from agent.children.sandbox import Policy, Sandbox
from agent.data.findings import Findings, InspectReply, InspectRequest, Mended
from agent.data.limits import dataset_refusal
from agent.data.reading.unclear import UnclearError
from agent.errors import AgentError
from agent.settings import AgentSettings
from agent.trainer_process import offer_to_oom_killer
from shared.errors import ErrorCode, ErrorDetail
from shared.inspections import Fix, ReadingProgress
from shared.language import N_, _, decimal
from shared.mapping import Mapping

FETCH_LIMIT_S = 600.0
OOM_SCORE = 900  # before a chat (800) and a trainer (500)
INSPECT_LIMIT_S = 1200.0  # 1 GB takes 5 min of a quiet core
LINE_BYTES = 64 << 20  # of an answer, at most
logger = logging.getLogger(__name__)

Told = Callable[[ReadingProgress], None]


def _nobody(_progress: ReadingProgress) -> None:
    """Hear nothing."""


class Inspector:
    """Runs the fetch and inspect children."""

    def __init__(self, settings: AgentSettings) -> None:
        self._settings = settings
        self._sandbox = Sandbox(on=settings.hearth_sandbox)

    async def describe(self, model: str) -> BaseModelCard:
        """Return the card of a base model, fetching its small files the first time. Raises AgentError."""
        source = find_base_model(model, self._settings)
        environment = child_environment(offline=source.kind is not SourceKind.hub)
        if source.kind is SourceKind.hub and self._settings.hf_token is not None:
            environment["HF_TOKEN"] = self._settings.hf_token.get_secret_value()
        output = await run_child(
            "agent.base_models.fetch",
            source.model_dump_json(),
            environment,
            FETCH_LIMIT_S,
            model_refusal(model),
            sandbox=self._sandbox,
            policy=source_policy(source),
        )
        reply = FetchReply.model_validate_json(output)
        if reply.error is not None or reply.card is None:
            raise _as_error(reply.error)
        if reply.card.gguf_problem:
            raise AgentError(
                _(
                    "{model} cannot become a GGUF, so Ollama could not run the result: {problem}. "
                    "Choose another base model; /models lists those that work.",
                    model=model,
                    problem=reply.card.gguf_problem,
                ),
                code=ErrorCode.model_not_convertible,
                param="model",
            )
        return reply.card

    async def inspect(
        self, *, dataset: Path, model: str, mapping: Mapping | None = None, told: Told = _nobody
    ) -> tuple[BaseModelCard, Findings]:
        """Return what the dataset holds as `model` sees it; `told` hears how far it is.

        Raises AgentError; UnclearError where a person has to say first how it is read.
        """
        card = await self.describe(model)
        request = InspectRequest(dataset=str(dataset), card=card, mapping=mapping)
        reply = await self._ask(request, dataset_policy(dataset, card), told)
        if reply.question is not None and reply.error is not None:
            raise UnclearError(reply.error.message, reply.question)
        if reply.findings is None:
            raise _as_error(reply.error)
        return card, reply.findings

    async def mend(
        self,
        *,
        dataset: Path,
        model: str,
        fixes: list[Fix],
        output: Path,
        limit_bytes: int,
        mapping: Mapping | None = None,
        told: Told = _nobody,
    ) -> Mended:
        """Write a mended copy of the dataset to `output`, which must not exist. Raises AgentError."""
        card = await self.describe(model)
        request = InspectRequest(
            dataset=str(dataset),
            card=card,
            mapping=mapping,
            fixes=fixes,
            output=str(output),
            output_limit=limit_bytes,
        )
        await asyncio.to_thread(output.touch, 0o600, exist_ok=False)  # so that it may write this file, and no other
        reply = await self._ask(request, dataset_policy(dataset, card, output), told)
        if reply.mended is None:
            raise _as_error(reply.error)
        return reply.mended

    async def _ask(self, request: InspectRequest, policy: Policy, told: Told) -> InspectReply:
        def heard(line: bytes) -> None:
            progress = InspectReply.model_validate_json(line).progress
            if progress is not None:
                told(progress)

        output = await run_child(
            "agent.data.inspect",
            request.model_dump_json(),
            child_environment(offline=True),
            INSPECT_LIMIT_S,
            dataset_refusal,
            sandbox=self._sandbox,
            policy=policy,
            heard=heard,
        )
        return InspectReply.model_validate_json(output)


def source_policy(source: BaseModelSource) -> Policy:
    """Return what may be reached to describe a base model: where it lies, and where its card is kept."""
    source.cache.mkdir(parents=True, exist_ok=True)
    if source.kind is SourceKind.hub:
        return Policy(write=(source.cache,), network=True)
    location = Path(source.location)  # transformers lists the folder of a GGUF
    return Policy(read=(location if location.is_dir() else location.parent,), write=(source.cache,))


def dataset_policy(dataset: Path, card: BaseModelCard, output: Path | None = None) -> Policy:
    """Return what may be reached to read a dataset as a base model sees it, and to write a mended one."""
    return Policy(read=(dataset, Path(card.folder)), write=() if output is None else (output,))


def model_refusal(model: str) -> Callable[[str], AgentError]:
    """Return what says that a base model could not be read, and why."""
    return lambda happened: AgentError(
        _(
            "Reading the base model {model} {happened}. Choose another one (/models); the agent's log has the details.",
            model=model,
            happened=happened,
        ),
        code=ErrorCode.model_unusable,
        param="model",
    )


async def run_child(
    module: str,
    request: str,
    environment: dict[str, str],
    limit_s: float,
    refusal: Callable[[str], AgentError],
    *,
    sandbox: Sandbox,
    policy: Policy,
    heard: Callable[[bytes], None] = lambda _line: None,
) -> bytes:
    """Run `python -m module` confined, give it `request`, return the last line of its stdout.

    `heard` is told the lines before. Raises `refusal` when it dies or hangs. When memory runs out, it goes before any
    trainer: what it reads is a stranger's file.
    """
    with tempfile.TemporaryDirectory(prefix="hearth-child-") as scratch:
        mine = replace(policy, write=(*policy.write, Path(scratch)))
        process = await asyncio.create_subprocess_exec(
            *sandbox.wrap((sys.executable, "-m", module), mine),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment | {"TMPDIR": scratch},
            start_new_session=True,
            limit=LINE_BYTES,
        )
        offer_to_oom_killer(process.pid, OOM_SCORE)
        return await _answer_of(process, module, request, limit_s, refusal, heard)


async def _answer_of(
    process: asyncio.subprocess.Process,
    module: str,
    request: str,
    limit_s: float,
    refusal: Callable[[str], AgentError],
    heard: Callable[[bytes], None],
) -> bytes:
    try:
        output, errors = await asyncio.wait_for(_talk(process, request.encode(), heard), limit_s)
    except TimeoutError as error:
        raise refusal(_("took longer than {seconds} s and was stopped", seconds=decimal(limit_s, 0))) from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        logger.error("%s ended with %s: %s", module, process.returncode, errors.decode(errors="replace")[-2000:])
        raise refusal(_how_it_ended(process.returncode))
    return output


def _how_it_ended(code: int | None) -> str:
    """Say what made a child end, as far as its exit code tells."""
    try:
        name = signal.Signals(-(code or 0)).name
    except ValueError:
        return _("ended unexpectedly (exit {code}), by a fault of Hearth", code=code)
    words = {
        "SIGXCPU": N_("took more processor time than it may have, and was stopped"),
        "SIGKILL": N_("was killed, most likely because the machine has no memory left"),
        "SIGABRT": N_("gave up, most likely at its memory limit"),
    }
    return _(words[name]) if name in words else _("crashed ({signal})", signal=name)


async def _talk(
    process: asyncio.subprocess.Process, request: bytes, heard: Callable[[bytes], None]
) -> tuple[bytes, bytes]:
    """Return the last line of stdout, and all of stderr."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    errors = asyncio.ensure_future(process.stderr.read())
    try:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it died; its exit code says more
            process.stdin.write(request)
            await process.stdin.drain()
            process.stdin.close()
        last = b""
        async for line in process.stdout:
            if last:
                heard(last)
            last = line
        await process.wait()
        return last, await errors
    finally:
        errors.cancel()


def _as_error(detail: ErrorDetail | None) -> AgentError:
    if detail is None:
        return AgentError(
            _("A helper process gave no answer. Try again; the agent's log has the details."), code=ErrorCode.internal
        )
    return AgentError(detail.message, code=detail.code, param=detail.param)
