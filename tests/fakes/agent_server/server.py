"""The server: its switches make it slow, refuse, lose its answers or go away; a gate holds a request."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from agent.errors import AgentError
from shared.chat import ChatRequest, FinishReason
from shared.errors import ErrorBody, ErrorCode, ErrorDetail
from shared.files import FixRequest
from shared.inspections import DatasetForm, Finding, Question, ReadingProgress
from shared.jobs import Job, JobRequest, Steering
from shared.people import RequestedBy
from shared.plans import MethodChoice, PlanRequest
from tests.fakes.agent_server.answers import answer, refuse
from tests.fakes.agent_server.chat import ChatRoutes
from tests.fakes.agent_server.datasets import DatasetRoutes
from tests.fakes.agent_server.facts import KEY, NOW
from tests.fakes.agent_server.jobs import JobRoutes
from tests.fakes.agent_server.machine import MachineRoutes
from tests.fakes.agent_server.people import PeopleRoutes
from tests.fakes.agent_server.rights import Rights, Rule, who_of
from tests.fakes.agent_server.script import World


@dataclass(kw_only=True)
class Gate:
    """A request that is held, before anything was done or when all was done but the answer."""

    method: str
    path: str  # the start of it
    committed: bool  # hold the answer, not the request
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    open: asyncio.Event = field(default_factory=asyncio.Event)

    def holds(self, request: web.Request, *, committed: bool) -> bool:
        here = (request.method, committed) == (self.method, self.committed)
        return here and request.path.startswith(self.path) and not self.open.is_set()

    async def hold(self) -> None:
        self.reached.set()
        await self.open.wait()


async def _at_once() -> None:
    """Wait for nothing."""


class FakeAgent(World):
    """An agent, and the switches of a test."""

    def __init__(self, now: int = NOW) -> None:
        super().__init__(now)
        self.people = Rights(self)
        self.plan_requests: list[PlanRequest] = []
        self.job_requests: list[JobRequest] = []
        self.feeds: list[int] = []  # the cursor each connection of the feed asked to go on from
        self.asked: list[str] = []  # the paths of all requests
        self.requests: list[tuple[str, str, RequestedBy | None]] = []  # and on whose behalf each was
        self.delay_s = 0.0  # before every answer
        self.refuse: dict[str, ErrorDetail] = {}  # start of a path → what it answers
        self.gates: list[Gate] = []
        self.lose: list[tuple[str, str]] = []  # method and start of a path whose next answer gets lost; it is done
        self.paused = False
        self.warnings: list[str] = []
        self.steered: list[Steering] = []  # what was asked of trainings that run
        self.methods: list[MethodChoice] = []  # by which rows can be learned; an agent of before methods says none
        self.too_little_memory = False  # no plan fits as it was asked for, and two others would
        self.inspection_error: ErrorDetail | None = None
        self.question: Question | None = None  # asked by every inspection that is not told how to read the file
        self.form = DatasetForm.messages  # that every inspection finds
        self.findings: list[Finding] = []  # of every inspection, until something is mended
        self.reading: list[ReadingProgress] = []  # what the next looks at an inspection tell
        self.fix_requests: list[FixRequest] = []
        self.file_size_limit = 100 * 2**20
        self.public_url: str | None = None  # set: results are linked
        self.questions: list[ChatRequest] = []
        self.says = "I am Toast."  # the answer of every model
        self.finish_reason: FinishReason = "stop"
        self.leaves_out = True  # 7 rows of every dataset
        self.reads = 20_000  # characters of a talk
        self.breaks_off = False  # an answer, behind its last word
        self.between_words: Callable[[], Awaitable[None]] = _at_once
        self.url = ""
        self._runner: web.AppRunner | None = None

    async def start(self, port: int = 0) -> None:
        """Listen on loopback."""
        app = web.Application(middlewares=[self._gate], client_max_size=2**30)
        for rule in self._rules():
            app.router.add_route(rule.method, rule.path, self.people.guarded(rule))
        self._runner = web.AppRunner(app, shutdown_timeout=0.05)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}"

    async def stop(self) -> None:
        """Go away; what is known stays."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._news.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def restart(self) -> None:
        """Come back at the same address."""
        await self.start(int(self.url.rpartition(":")[2]))

    def gate(self, method: str, path: str, *, committed: bool = False) -> Gate:
        """Hold the requests to a path from now on, until the gate is opened."""
        gate = Gate(method=method, path=path, committed=committed)
        self.gates.append(gate)
        return gate

    @property
    def listens(self) -> bool:
        return self._runner is not None

    async def next_event(self) -> None:
        self._news.clear()
        await self._news.wait()

    def job_named(self, name: str) -> Job:
        for job in self.jobs.values():
            if name in {job.id, str(job.number)}:
                return job
        raise KeyError(f"job {name}")

    def _rules(self) -> list[Rule]:
        rooms = (DatasetRoutes(self), JobRoutes(self), MachineRoutes(self), PeopleRoutes(self), ChatRoutes(self))
        return [rule for room in rooms for rule in room.rules()]

    @web.middleware
    async def _gate(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.asked.append(request.path)
        self.requests.append((request.method, request.path, who_of(request, await request.read())))
        await asyncio.sleep(self.delay_s)
        if request.path != "/healthz" and request.headers.get("Authorization") != f"Bearer {KEY}":
            return refuse(ErrorCode.invalid_key, "This key is not mine.", status=401)
        for start, detail in self.refuse.items():
            if request.path.startswith(start):
                return answer(ErrorBody(error=detail), status=400)
        await self._pass_gates(request, committed=False)
        try:
            response: web.StreamResponse = await handler(request)
        except AgentError as refused:
            return refuse(refused.code, refused.message, status=403)
        except KeyError as missing:
            return refuse(ErrorCode.not_found, f"There is no {missing.args[0]}.", status=404)
        await self._pass_gates(request, committed=True)
        for method, start in self.lose:
            if request.method == method and request.path.startswith(start):
                self.lose.remove((method, start))
                assert request.transport is not None
                request.transport.abort()
                break
        return response

    async def _pass_gates(self, request: web.Request, *, committed: bool) -> None:
        for gate in self.gates:
            if gate.holds(request, committed=committed):
                await gate.hold()
        if request.transport is None:  # whoever asked was killed meanwhile
            raise ConnectionResetError


@asynccontextmanager
async def running_agent(now: int = NOW) -> AsyncIterator[FakeAgent]:
    """Run a fake agent, whose times start at `now`."""
    agent = FakeAgent(now)
    await agent.start()
    try:
        yield agent
    finally:
        await agent.stop()
