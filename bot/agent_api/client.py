"""The agent's HTTP API as typed methods, and the one place that says on whose behalf the agent is asked.

What answers a person is asked by the client that `on_behalf_of` makes: every request of it names them, and the agent
decides whether they may. The plain client is for the bot's own work alone: the feed, live cards, results.
"""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import aiohttp
from pydantic import ValidationError

from bot.agent_api.people import PeopleRoutes
from bot.agent_api.sse import SseParser
from bot.agent_api.wire import parse, path, read
from bot.core.call import Attachment
from bot.errors import AgentRefusedError, AgentUnreachableError, BadCallError
from bot.words.format import one_line
from shared.chat import ChatChunk, ChatCompletion, ChatMessage, ChatRequest
from shared.errors import ErrorBody, ErrorCode, HearthError
from shared.events import Event, EventList
from shared.files import (
    FileDeleted,
    FileLink,
    FileList,
    FileObject,
    FilePurpose,
    FixedFile,
    FixRequest,
    LinkRequest,
    UnusedDatasets,
)
from shared.inspections import Inspection, InspectionRequest
from shared.jobs import Job, JobAction, JobList, JobRequest, Steering, SteerRequest
from shared.language import _
from shared.machine import AgentInfo
from shared.models import ModelList
from shared.plans import Plan, PlanChanges, PlanRequest

logger = logging.getLogger(__name__)

FIX_S = 1260.0  # a little more than the agent lets a file be read
ANSWER_S = 480.0  # a little more than the agent waits for a turn, a model and its answer together


STREAM_END = "[DONE]"


@dataclass(frozen=True, kw_only=True)
class Plot:
    """A picture that the agent drew, and its description."""

    png: bytes
    alt_text: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """The full report on a dataset as HTML, and its picture with the words for it."""

    html: bytes
    png: bytes
    alt_text: str


class AgentClient(PeopleRoutes):
    """One agent. Every method raises AgentUnreachableError or AgentRefusedError."""

    # --- datasets and plans

    async def upload(self, attachment: Attachment) -> FileObject:
        """Send a dataset, streamed."""
        form = aiohttp.FormData(quote_fields=False)  # quoted, a space arrives as %20
        form.add_field("purpose", "fine-tune")
        if self._person is not None:
            form.add_field("requested_by", self._person.model_dump_json(), content_type="application/json")
        name = one_line(attachment.name).replace('"', "'").replace("\\", "-")
        unread: list[Exception] = []
        chunks = _noting_errors(attachment, unread)
        form.add_field("file", chunks, filename=name, content_type="application/octet-stream")
        try:
            async with self._ask("POST", "/v1/files", data=form) as response:
                return await read(response, FileObject)
        except AgentUnreachableError:
            if unread:  # the connection broke because there was nothing to send
                raise BadCallError(
                    _("I could not read {name}: {reason}", name=one_line(attachment.name), reason=unread[0])
                ) from unread[0]
            raise

    async def file(self, file_id: str) -> FileObject:
        """Return what is known of a stored file."""
        return await self._get(path("/v1/files", file_id), FileObject)

    async def delete_file(self, file_id: str) -> FileDeleted:
        """Delete a file that no unfinished job uses."""
        async with self._ask("DELETE", path("/v1/files", file_id)) as response:
            return await read(response, FileDeleted)

    async def content(self, file_id: str) -> AsyncIterator[bytes]:
        """Yield a file's bytes as they come."""
        async with self._ask("GET", path("/v1/files", file_id, "content")) as response:
            async for chunk in response.content.iter_chunked(1 << 18):
                yield chunk

    async def link(self, file_id: str) -> FileLink:
        """Make a link to a result that needs no key and expires; refused as links_off where there are none."""
        return await self._post(path("/v1/files", file_id, "links"), LinkRequest(), FileLink)

    async def datasets(self, *, limit: int) -> FileList:
        """Return the datasets that were sent, newest first."""
        return await self._get(path("/v1/files", purpose=FilePurpose.fine_tune.value, limit=limit), FileList)

    async def unused_datasets(self) -> UnusedDatasets:
        """Return the datasets that nobody used for long, as far as the person may have them removed from here."""
        return await self._get("/v1/datasets/unused", UnusedDatasets)

    async def inspect(self, file_id: str, request: InspectionRequest) -> Inspection:
        """Begin to read a dataset as a model will see it."""
        return await self._post(path("/v1/files", file_id, "inspections"), request, Inspection)

    async def inspection(self, inspection_id: str, *, wait_s: int = 25) -> Inspection:
        """Return an inspection, waiting a while for it to end."""
        return await self._get(path("/v1/inspections", inspection_id, wait_s=wait_s), Inspection)

    async def report(self, inspection_id: str) -> Report:
        """Return the full report of an inspection that ended well."""
        async with self._ask("GET", path("/v1/inspections", inspection_id, "report")) as response:
            html = await response.read()
        async with self._ask("GET", path("/v1/inspections", inspection_id, "lengths.png")) as response:
            words = response.headers.get("X-Alt-Text", _("How long the rows are."))
            return Report(html=html, png=await response.read(), alt_text=words)

    async def fix(self, file_id: str, request: FixRequest) -> FixedFile:
        """Have a mended copy of a dataset made; asked twice, it is the same one."""
        return await self._post(path("/v1/files", file_id, "fixes"), request, FixedFile, patience_s=FIX_S)

    async def plan(self, request: PlanRequest) -> Plan:
        """Ask what a run would do and cost."""
        return await self._post("/v1/fine_tuning/plans", request, Plan)

    async def plan_again(self, job_id: str, changes: PlanChanges) -> Plan:
        """Ask what a job would do and cost once more, with what is to differ."""
        return await self._post(path("/v1/fine_tuning/jobs", job_id, "plans"), changes, Plan)

    async def offered_plan(self, plan_id: str) -> Plan:
        """Return a plan that was made before."""
        return await self._get(path("/v1/fine_tuning/plans", plan_id), Plan)

    # --- jobs

    async def start(self, plan_id: str, *, start_at: int | None = None) -> Job:
        """Make the job of a plan, to start at once or not before a moment; asking twice makes one."""
        request = JobRequest(plan=plan_id, start_at=start_at)
        return await self._post("/v1/fine_tuning/jobs", request, Job, headers={"Idempotency-Key": plan_id})

    async def jobs(self, *, limit: int = 20) -> JobList:
        """Return the newest jobs first."""
        return await self._get(path("/v1/fine_tuning/jobs", limit=limit), JobList)

    async def job(self, job_id: str) -> Job:
        """Return one job by id or number."""
        return await self._get(path("/v1/fine_tuning/jobs", job_id), Job)

    async def cancel(self, job_id: str) -> Job:
        """Ask the job to stop."""
        return await self._post(path("/v1/fine_tuning/jobs", job_id, "cancel"), JobAction(), Job)

    async def pause(self, job_id: str) -> Job:
        """Ask the job to give its memory back and wait."""
        return await self._post(path("/v1/fine_tuning/jobs", job_id, "pause"), JobAction(), Job)

    async def resume(self, job_id: str) -> Job:
        """Let a paused job go on when it is its turn."""
        return await self._post(path("/v1/fine_tuning/jobs", job_id, "resume"), JobAction(), Job)

    async def steer(self, job_id: str, what: Steering) -> Job:
        """Ask a training that runs for something else."""
        return await self._post(path("/v1/fine_tuning/jobs", job_id, "steer"), SteerRequest(what=what), Job)

    async def pause_machine(self) -> AgentInfo:
        """Have nothing run until the machine is resumed."""
        return await self._post("/v1/agent/pause", JobAction(), AgentInfo)

    async def resume_machine(self) -> AgentInfo:
        """Let the machine work again."""
        return await self._post("/v1/agent/resume", JobAction(), AgentInfo)

    async def events(self, job_id: str, *, limit: int = 20, after: str | None = None) -> EventList:
        """Return a job's newest events first; `after`: those that are older than an event."""
        page = {"after": after} if after is not None else {}
        return await self._get(path("/v1/fine_tuning/jobs", job_id, "events", limit=limit, **page), EventList)

    async def plot(self, job_id: str, *, dark: bool) -> Plot:
        """Return the loss plot as it is now, for a light or a dark ground; an older agent knows light ones alone."""
        if dark:
            try:
                return await self._plot(job_id, theme="dark")
            except AgentRefusedError as error:
                if error.code is not ErrorCode.invalid_request:
                    raise
        return await self._plot(job_id)

    async def _plot(self, job_id: str, **drawn: str) -> Plot:
        async with self._ask("GET", path("/v1/fine_tuning/jobs", job_id, "plot.png", **drawn)) as response:
            return Plot(
                png=await response.read(), alt_text=response.headers.get("X-Alt-Text", _("The loss over the steps."))
            )

    async def share_picture(self, job_id: str, *, answer: int) -> Plot:
        """Return a picture of one answer of a finished job, to post."""
        async with self._ask("GET", path("/v1/fine_tuning/jobs", job_id, "share.png", answer=answer)) as response:
            return Plot(png=await response.read(), alt_text=response.headers.get("X-Alt-Text", ""))

    async def log(self, job_id: str) -> AsyncIterator[bytes]:
        """Yield a job's log as it comes."""
        async with self._ask("GET", path("/v1/fine_tuning/jobs", job_id, "log")) as response:
            async for chunk in response.content.iter_chunked(1 << 16):
                yield chunk

    async def ask_model(self, model: str, question: str) -> ChatCompletion:
        """Ask a finished model, which may take minutes: it is loaded, and others may be before us."""
        request = ChatRequest(model=model, messages=(ChatMessage(role="user", content=question),))
        return await self._post("/v1/chat/completions", request, ChatCompletion, patience_s=ANSWER_S)

    async def talk(self, model: str, messages: Sequence[ChatMessage]) -> AsyncIterator[ChatChunk]:
        """Yield what a finished model says as it says it; nothing for minutes while it is loaded."""
        request = ChatRequest(model=model, messages=tuple(messages), stream=True)
        async with self._posted("/v1/chat/completions", request, patience_s=ANSWER_S) as response:
            parser = SseParser()
            async for data in response.content.iter_any():
                for _id, event in parser.feed(data):
                    if event == STREAM_END:
                        return
                    yield _chunk(event)

    # --- the machine

    async def models(self) -> ModelList:
        """Return the models one may name."""
        return await self._get("/v1/models", ModelList)

    async def info(self) -> AgentInfo:
        """Return the machine and the newest cursor of the feed."""
        return await self._get("/v1/agent", AgentInfo)

    @asynccontextmanager
    async def feed(self, *, after: int) -> AsyncIterator[AsyncIterator[Event]]:
        """Open the feed of everything after a cursor. Entering means: connected."""
        headers = {"Accept": "text/event-stream", "Last-Event-ID": str(after)}
        async with self._ask("GET", "/v1/agent/events", headers=headers) as response:
            yield self._events(response)

    async def _events(self, response: aiohttp.ClientResponse) -> AsyncIterator[Event]:
        """Yield the feed's events until the agent closes it."""
        parser = SseParser()
        async for chunk in response.content.iter_any():
            self._wire.heard()
            for event_id, data in parser.feed(chunk):
                try:
                    event = parse(data.encode(), Event)
                except AgentRefusedError as error:  # else the feed would break off at it for ever
                    logger.warning("event %s of the feed is left out: %s", event_id, error)
                    continue
                yield event


async def _noting_errors(attachment: Attachment, errors: list[Exception]) -> AsyncIterator[bytes]:
    """Yield a file's bytes; aiohttp makes a lost connection of what breaks here, so that is noted."""
    try:
        async for chunk in attachment.open():
            yield chunk
    except (HearthError, OSError) as error:
        errors.append(error)
        raise


def _chunk(event: str) -> ChatChunk:
    """Read an event of an answer that is streamed; one may say that it broke off. Raises AgentRefusedError."""
    with suppress(ValidationError):
        error = ErrorBody.model_validate_json(event).error
        raise AgentRefusedError(error.message, code=error.code, param=error.param)
    return parse(event.encode(), ChatChunk)
