"""The agent's HTTP API as typed methods. The only module of the bot that speaks HTTP.

It remembers since when the agent has not answered, so that everybody says the same time.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import aiohttp
from pydantic import BaseModel, ValidationError

from bot.call import Attachment
from bot.clock import Clock
from bot.errors import AgentRefusedError, AgentUnreachableError, BadCallError
from bot.format import clock_time, one_line
from bot.sse import SseParser
from shared.errors import ErrorBody, ErrorCode, HearthError
from shared.events import Event, EventList
from shared.files import FileObject
from shared.inspections import Inspection, InspectionRequest
from shared.jobs import Job, JobAction, JobList, JobRequest
from shared.machine import AgentInfo
from shared.models import ModelList
from shared.people import RequestedBy
from shared.plans import Plan, PlanRequest

T = TypeVar("T", bound=BaseModel)

CONNECT_S = 3.0
SILENCE_S = 40.0  # longest gap we accept in an answer; above the 25 s of a long poll and any keep-alive
GATEWAY = {502, 503, 504}  # what a proxy in between answers while the PC sleeps
TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=SILENCE_S)


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where the agent listens and the key to it. Read again for each request: a restarted agent may have moved."""

    url: str
    key: str

    def __repr__(self) -> str:
        return f"Address(url={self.url!r}, key=…)"


@dataclass(frozen=True, kw_only=True)
class Plot:
    """A loss plot and its description."""

    png: bytes
    alt_text: str


class AgentClient:
    """One agent. Every method raises AgentUnreachableError or AgentRefusedError."""

    def __init__(self, address: Callable[[], Address], *, session: aiohttp.ClientSession, clock: Clock) -> None:
        self._address = address
        self._session = session
        self._clock = clock
        self.lost_since: float | None = None  # when it was heard last, seconds since 1970; None while it answers
        self._heard_at: float | None = None

    async def upload(self, attachment: Attachment, requested_by: RequestedBy) -> FileObject:
        """Send a dataset, streamed."""
        form = aiohttp.FormData(quote_fields=False)  # quoted, a space arrives as %20
        form.add_field("purpose", "fine-tune")
        form.add_field("requested_by", requested_by.model_dump_json(), content_type="application/json")
        name = one_line(attachment.name).replace('"', "'").replace("\\", "-")
        unread: list[Exception] = []
        chunks = _noting_errors(attachment, unread)
        form.add_field("file", chunks, filename=name, content_type="application/octet-stream")
        try:
            async with self._ask("POST", "/v1/files", data=form) as response:
                return await _read(response, FileObject)
        except AgentUnreachableError:
            if unread:  # the connection broke because there was nothing to send
                raise BadCallError(f"I could not read {one_line(attachment.name)}: {unread[0]}") from unread[0]
            raise

    async def file(self, file_id: str) -> FileObject:
        """Return what is known of a stored file."""
        return await self._get(f"/v1/files/{file_id}", FileObject)

    async def content(self, file_id: str) -> AsyncIterator[bytes]:
        """Yield a file's bytes as they come."""
        async with self._ask("GET", f"/v1/files/{file_id}/content") as response:
            async for chunk in response.content.iter_chunked(1 << 18):
                yield chunk

    async def inspect(self, file_id: str, request: InspectionRequest) -> Inspection:
        """Begin to read a dataset as a model will see it."""
        return await self._post(f"/v1/files/{file_id}/inspections", request, Inspection)

    async def inspection(self, inspection_id: str, *, wait_s: int = 25) -> Inspection:
        """Return an inspection, waiting a while for it to end."""
        return await self._get(f"/v1/inspections/{inspection_id}?wait_s={wait_s}", Inspection)

    async def plan(self, request: PlanRequest) -> Plan:
        """Ask what a run would do and cost."""
        return await self._post("/v1/fine_tuning/plans", request, Plan)

    async def offered_plan(self, plan_id: str) -> Plan:
        """Return a plan that was made before."""
        return await self._get(f"/v1/fine_tuning/plans/{plan_id}", Plan)

    async def start(self, plan_id: str, requested_by: RequestedBy, *, start_at: int | None = None) -> Job:
        """Make the job of a plan, to start at once or not before a moment; asking twice makes one."""
        request = JobRequest(plan=plan_id, requested_by=requested_by, start_at=start_at)
        return await self._post("/v1/fine_tuning/jobs", request, Job, headers={"Idempotency-Key": plan_id})

    async def jobs(self, *, limit: int = 20) -> JobList:
        """Return the newest jobs first."""
        return await self._get(f"/v1/fine_tuning/jobs?limit={limit}", JobList)

    async def job(self, job_id: str) -> Job:
        """Return one job by id or number."""
        return await self._get(f"/v1/fine_tuning/jobs/{job_id}", Job)

    async def cancel(self, job_id: str, requested_by: RequestedBy) -> Job:
        """Ask the job to stop."""
        return await self._post(f"/v1/fine_tuning/jobs/{job_id}/cancel", JobAction(requested_by=requested_by), Job)

    async def pause(self, job_id: str, requested_by: RequestedBy) -> Job:
        """Ask the job to give its memory back and wait."""
        return await self._post(f"/v1/fine_tuning/jobs/{job_id}/pause", JobAction(requested_by=requested_by), Job)

    async def resume(self, job_id: str, requested_by: RequestedBy) -> Job:
        """Let a paused job go on when it is its turn."""
        return await self._post(f"/v1/fine_tuning/jobs/{job_id}/resume", JobAction(requested_by=requested_by), Job)

    async def pause_machine(self, requested_by: RequestedBy) -> AgentInfo:
        """Have nothing run until the machine is resumed."""
        return await self._post("/v1/agent/pause", JobAction(requested_by=requested_by), AgentInfo)

    async def resume_machine(self, requested_by: RequestedBy) -> AgentInfo:
        """Let the machine work again."""
        return await self._post("/v1/agent/resume", JobAction(requested_by=requested_by), AgentInfo)

    async def events(self, job_id: str, *, limit: int = 20) -> EventList:
        """Return a job's newest events first."""
        return await self._get(f"/v1/fine_tuning/jobs/{job_id}/events?limit={limit}", EventList)

    async def plot(self, job_id: str) -> Plot:
        """Return the loss plot as it is now."""
        async with self._ask("GET", f"/v1/fine_tuning/jobs/{job_id}/plot.png") as response:
            return Plot(
                png=await response.read(), alt_text=response.headers.get("X-Alt-Text", "The loss over the steps.")
            )

    async def log(self, job_id: str) -> AsyncIterator[bytes]:
        """Yield a job's log as it comes."""
        async with self._ask("GET", f"/v1/fine_tuning/jobs/{job_id}/log") as response:
            async for chunk in response.content.iter_chunked(1 << 16):
                yield chunk

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
            self._heard()
            for _, data in parser.feed(chunk):
                yield _parse(data.encode(), Event)

    async def _get(self, path: str, model: type[T]) -> T:
        async with self._ask("GET", path) as response:
            return await _read(response, model)

    async def _post(self, path: str, body: BaseModel, model: type[T], headers: dict[str, str] | None = None) -> T:
        headers = {"Content-Type": "application/json", **(headers or {})}
        async with self._ask("POST", path, data=body.model_dump_json(exclude_none=True), headers=headers) as response:
            return await _read(response, model)

    @asynccontextmanager
    async def _ask(
        self,
        method: str,
        path: str,
        *,
        data: aiohttp.FormData | str | None = None,
        headers: dict[str, str] | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        address = self._address()
        headers = {"Authorization": f"Bearer {address.key}", **(headers or {})}
        try:
            async with self._session.request(
                method, address.url + path, data=data, headers=headers, timeout=TIMEOUT
            ) as response:
                if response.status in GATEWAY and response.content_type != "application/json":
                    raise self._unreachable(address.url)
                self._heard()
                if response.status >= 400:
                    raise await _refusal(response, address.url)
                yield response
        except (aiohttp.ClientError, TimeoutError, OSError) as cause:
            raise self._unreachable(address.url) from cause

    def _heard(self) -> None:
        self.lost_since = None
        self._heard_at = self._clock.now()

    def _unreachable(self, url: str) -> AgentUnreachableError:
        now = self._clock.now()
        self.lost_since = self.lost_since or self._heard_at or now
        return AgentUnreachableError(
            f"I cannot reach the agent at {url} since {clock_time(self.lost_since, now=now)}.\n"
            "Is that PC awake? If so, start `hearth-agent` on it. I keep trying and go on by myself."
        )


async def _noting_errors(attachment: Attachment, errors: list[Exception]) -> AsyncIterator[bytes]:
    """Yield a file's bytes; aiohttp makes a lost connection of what breaks here, so that is noted."""
    try:
        async for chunk in attachment.open():
            yield chunk
    except (HearthError, OSError) as error:
        errors.append(error)
        raise


async def _read(response: aiohttp.ClientResponse, model: type[T]) -> T:
    return _parse(await response.read(), model)


def _parse(body: bytes, model: type[T]) -> T:
    try:
        return model.model_validate_json(body)
    except ValidationError as cause:
        raise AgentRefusedError(
            f"The agent's answer is not a {model.__name__} that I know. "
            "Bot and agent may be of different versions: update both.",
            code=ErrorCode.internal,
        ) from cause


async def _refusal(response: aiohttp.ClientResponse, url: str) -> AgentRefusedError:
    body = await response.read()
    try:
        error = ErrorBody.model_validate_json(body).error
    except ValidationError:
        return AgentRefusedError(
            f"{url} answered {response.status} and no reason. Is that a Hearth agent? Look at HEARTH_AGENT_URL.",
            code=ErrorCode.internal,
        )
    if error.code is ErrorCode.invalid_key:
        return AgentRefusedError(
            f"The agent at {url} does not accept my key. Set HEARTH_AGENT_KEY to what its file agent.key holds.",
            code=error.code,
        )
    return AgentRefusedError(error.message, code=error.code, param=error.param)
