"""Ask the children what a dataset and a base model are: each in its own process, under limits, then gone."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from agent.base_models.card import BaseModelCard, DescribeReply, DownloadReply
from agent.base_models.catalog import BaseModelSource, SourceKind, find_base_model, paths_of
from agent.base_models.revision import kept_card
from agent.children.environment import child_environment
from agent.children.refusals import dataset_refusal, download_refusal, model_refusal
from agent.children.run import run_child
from agent.children.sandbox import Policy, Sandbox
from agent.data.findings import Findings, InspectReply, InspectRequest, Mended
from agent.data.readers.unclear import UnclearError
from agent.errors import AgentError
from agent.settings import AgentSettings
from shared.errors import ErrorCode, ErrorDetail
from shared.inspections import Fix, ReadingProgress
from shared.language import _
from shared.mapping import Mapping

DOWNLOAD_LIMIT_S = 600.0
DESCRIBE_LIMIT_S = 600.0
INSPECT_LIMIT_S = 1200.0  # 1 GB takes 5 min of a quiet core

ReportReading = Callable[[ReadingProgress], None]


def _nobody(_progress: ReadingProgress) -> None:
    """Hear nothing."""


class Inspector:
    """Runs the download, describe and inspect children."""

    def __init__(self, settings: AgentSettings) -> None:
        self._settings = settings
        self._sandbox = Sandbox(on=settings.hearth_sandbox)

    async def describe(self, model: str) -> BaseModelCard:
        """Return the card of a base model, fetching its small files the first time. Raises AgentError."""
        source = find_base_model(model, self._settings)
        kept = await asyncio.to_thread(kept_card, source)
        if kept is not None:
            return kept
        if source.kind is SourceKind.hub:
            await self._download(source)
        output = await run_child(
            "agent.base_models.describe",
            source.model_dump_json(),
            child_environment(offline=True),
            DESCRIBE_LIMIT_S,
            model_refusal(model),
            sandbox=self._sandbox,
            policy=source_policy(source),
        )
        reply = DescribeReply.model_validate_json(output)
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

    async def _download(self, source: BaseModelSource) -> None:
        """Bring a hub model's small files here. Raises AgentError."""
        environment = child_environment(offline=False)
        if self._settings.hf_token is not None:
            environment["HF_TOKEN"] = self._settings.hf_token.get_secret_value()
        output = await run_child(
            "agent.base_models.download",
            source.model_dump_json(),
            environment,
            DOWNLOAD_LIMIT_S,
            download_refusal(source.name),
            sandbox=self._sandbox,
            policy=download_policy(source),
        )
        reply = DownloadReply.model_validate_json(output)
        if reply.error is not None:
            raise _as_error(reply.error)

    async def inspect(
        self,
        *,
        dataset: Path,
        model: str,
        mapping: Mapping | None = None,
        report_reading: ReportReading = _nobody,
        training: Path | None = None,
    ) -> tuple[BaseModelCard, Findings]:
        """Return what the dataset holds as `model` sees it; `report_reading` hears how far it is.

        `training` is the file that is trained on, where the dataset is to be held out. Raises AgentError; UnclearError
        where a person has to say first how it is read.
        """
        card = await self.describe(model)
        beside = str(training) if training is not None else None
        request = InspectRequest(dataset=str(dataset), card=card, mapping=mapping, training=beside)
        policy = dataset_policy(dataset, card, training=training)
        reply = await self._ask(request, policy, report_reading)
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
        report_reading: ReportReading = _nobody,
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
        reply = await self._ask(request, dataset_policy(dataset, card, output), report_reading)
        if reply.mended is None:
            raise _as_error(reply.error)
        return reply.mended

    async def _ask(self, request: InspectRequest, policy: Policy, report_reading: ReportReading) -> InspectReply:
        def report(line: bytes) -> None:
            progress = InspectReply.model_validate_json(line).progress
            if progress is not None:
                report_reading(progress)

        output = await run_child(
            "agent.data.inspect",
            request.model_dump_json(),
            child_environment(offline=True),
            INSPECT_LIMIT_S,
            dataset_refusal,
            sandbox=self._sandbox,
            policy=policy,
            on_line=report,
        )
        return InspectReply.model_validate_json(output)


def download_policy(source: BaseModelSource) -> Policy:
    """Return what may be reached to download a hub model's small files: the network, and where they are kept."""
    source.cache.mkdir(parents=True, exist_ok=True)
    return Policy(write=(source.cache,), network=True)


def source_policy(source: BaseModelSource) -> Policy:
    """Return what may be reached to describe a base model: where it lies, and where its card is kept."""
    source.cache.mkdir(parents=True, exist_ok=True)
    if source.kind is SourceKind.hub:
        return Policy(write=(source.cache,))
    return Policy(read=paths_of(Path(source.location)), write=(source.cache,))


def dataset_policy(
    dataset: Path, card: BaseModelCard, output: Path | None = None, *, training: Path | None = None
) -> Policy:
    """Return what may be reached to read a dataset as a base model sees it, and to write a mended one."""
    datasets = (dataset,) if training is None else (dataset, training)
    return Policy(read=(*datasets, *paths_of(Path(card.folder))), write=() if output is None else (output,))


def _as_error(detail: ErrorDetail | None) -> AgentError:
    if detail is None:
        return AgentError(
            _("A helper process gave no answer. Try again; the agent's log has the details."), code=ErrorCode.internal
        )
    return AgentError(detail.message, code=detail.code, param=detail.param)
