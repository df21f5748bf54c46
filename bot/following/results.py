"""A finished job's files from the agent, as far as a chat takes them."""

from collections.abc import AsyncIterator
from functools import partial

from bot.agent_api.client import AgentClient
from bot.cards.result import Linked, ResultFiles
from bot.core.capabilities import Capabilities
from bot.core.reply import File, Image
from bot.errors import AgentRefusedError
from bot.words.format import safe_file_name
from shared.errors import ErrorCode
from shared.files import FileObject
from shared.jobs import Job, JobStatus

PLOT_NAME = "loss.png"


async def collect_results(
    agent: AgentClient, job: Job, capabilities: Capabilities, *, everything: bool = True, model: bool = True
) -> ResultFiles:
    """Ask for every result file; the plot becomes the picture, what is too large stays with the agent.

    Not `everything`: of a model that is ready only what Ollama takes, where each file is a message to read. Without
    `model`: no file of one that is ready.
    """
    ready = job.status is JobStatus.succeeded and not everything and capabilities.buttons
    known = {file_id: await _known(agent, file_id) for file_id in job.result_files}
    files = [file for file in known.values() if file is not None]
    kept_back = job.status is JobStatus.succeeded and not model
    pictures = [file for file in files if file.filename.lower().endswith(".png")]
    others = [] if kept_back else [it for it in files if it not in pictures and (not ready or _for_ollama(it))]
    limit = capabilities.upload_bytes
    too_large = tuple(file for file in others if limit is not None and file.bytes > limit)
    links = [await _link(agent, file) for file in too_large]
    return ResultFiles(
        image=None if ready else await plot_image(agent, job, capabilities, stored=pictures[0] if pictures else None),
        attached=tuple(_stored(agent, file) for file in others if file not in too_large),
        too_large=too_large,
        links=tuple(link for link in links if link is not None),
        kept_back=kept_back and bool(files),
        missing=tuple(file_id for file_id, file in known.items() if file is None),
    )


async def plot_image(
    agent: AgentClient, job: Job, capabilities: Capabilities, *, stored: FileObject | None = None
) -> Image | None:
    """Return the loss plot with its description, or None if nothing was plotted yet."""
    try:
        plot = await agent.plot(job.id, dark=capabilities.dark)
    except AgentRefusedError as error:
        if error.code is ErrorCode.not_allowed:
            raise
        return None
    name = safe_file_name(stored.filename) if stored else PLOT_NAME
    return Image(file=bytes_file(name, plot.png), alt_text=plot.alt_text)


def bytes_file(name: str, content: bytes) -> File:
    """Return a small file that is in memory already."""

    async def chunks() -> AsyncIterator[bytes]:
        yield content

    return File(name=name, size=len(content), open=chunks)


async def known_results(agent: AgentClient, job: Job) -> list[FileObject]:
    """Return the result files that are still there."""
    return [file for file_id in job.result_files if (file := await _known(agent, file_id)) is not None]


def _for_ollama(file: FileObject) -> bool:
    """Say whether a file is of those that `ollama create` needs: the model and its Modelfile."""
    name = file.filename.lower()
    return name == "modelfile" or (name.endswith(".gguf") and not name.endswith("-adapter.gguf"))


async def _known(agent: AgentClient, file_id: str) -> FileObject | None:
    """Return what is known of a file, or None if it is not there."""
    try:
        return await agent.file(file_id)
    except AgentRefusedError as error:
        if error.code is ErrorCode.not_found:
            return None
        raise


async def _link(agent: AgentClient, file: FileObject) -> Linked | None:
    """Return a link to a file, or None where the agent makes none: it has no public URL, or is older than links."""
    try:
        return Linked(file=file, link=await agent.link(file.id))
    except AgentRefusedError as error:
        if error.code in (ErrorCode.links_off, ErrorCode.not_found):
            return None
        raise


def _stored(agent: AgentClient, file: FileObject) -> File:
    return File(name=safe_file_name(file.filename), size=file.bytes, open=partial(agent.content, file.id))
