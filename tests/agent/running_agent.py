"""An agent in this process, on a real socket, with real trainer processes that need no torch."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import ClientSession, FormData
from aiohttp.test_utils import TestServer

from agent.admission.disk import Disk, free_bytes
from agent.api import Services, build_app
from agent.base_models.catalog import BaseModelSource, Candidate, SourceKind
from agent.base_models.shape import ModelShape
from agent.chat.answerer import Answerer, Patience
from agent.children.sandbox import Sandbox
from agent.errors import AgentError
from agent.intake.intake import Inspects, Intake
from agent.job_folder.folder import JobFolder
from agent.machine.boot import boot_id
from agent.machine.gpu import Machine
from agent.plan.resolve import make_plan
from agent.running.held_memory import held_now
from agent.running.supervisor import Supervisor
from agent.running.trainer_watch import Timings
from agent.settings import AgentSettings
from agent.store import Store
from agent.store.store import DATABASE
from shared.errors import ErrorCode
from shared.models import Model
from tests.agent.fake_inspector import MODEL, FakeInspector
from tests.empty_store import put_empty_store

if TYPE_CHECKING:
    from openai import AsyncOpenAI

FAKE_TRAINER = Path(__file__).parents[1] / "fakes" / "trainer.py"
FAKE_MODEL = Path(__file__).parents[1] / "fakes" / "model_child.py"
KEY = "hearth-test-key"
HUB_MODEL = "acme/toast"
ROWS = b"".join(b'{"prompt": "Question %d?", "completion": "Toast."}\n' % row for row in range(100))
OPEN = Sandbox(on=False)  # for stand-ins, which lie outside what is installed
QUICK = Timings(poll_s=0.02, terminate_after_s=0.2, kill_after_s=0.4, linger_s=5, adoption_s=1)

MACHINE = Machine(
    device="cpu", name="CPU (2 cores)", cores=2, memory_total_mib=32000, memory_free_mib=16000, disk_free_mib=100_000
)
GPU = replace(
    MACHINE, device="cuda", name="RTX", gpu="0", memory_total_mib=24_000, memory_free_mib=23_000, ram_free_mib=16_000
)


def check_model(name: str) -> None:
    if "/" in name and name != HUB_MODEL:
        raise AgentError(f"“{name}” is a path; name a model.", code=ErrorCode.model_is_path, param="model")
    if name not in (MODEL, HUB_MODEL):
        raise AgentError(f"There is no base model “{name}”.", code=ErrorCode.model_unknown, param="model")


def source_for(name: str, settings: AgentSettings) -> BaseModelSource:
    kind = SourceKind.hub if "/" in name else SourceKind.packaged
    return BaseModelSource(name=name, kind=kind, location=name, cache=settings.base_models_dir / name)


@dataclass(frozen=True, kw_only=True)
class Agent:
    """An agent under test, and how to speak to it."""

    services: Services
    supervisor: Supervisor
    inspector: FakeInspector
    url: str
    http: ClientSession

    @cached_property
    def openai(self) -> "AsyncOpenAI":
        """OpenAI's own client, for the few tests that are of it: it takes longer to import and to make than they do."""
        from openai import AsyncOpenAI

        return AsyncOpenAI(base_url=f"{self.url}v1", api_key=KEY, max_retries=0)

    async def close(self) -> None:
        if "openai" in vars(self):
            await self.openai.close()

    @property
    def store(self) -> Store:
        return self.services.store

    def folder(self, job_id: str) -> JobFolder:
        return JobFolder(path=self.services.settings.jobs_dir / job_id)

    async def until(self, check: Callable[[], Awaitable[bool]]) -> None:
        """Wait until `check` holds; looked at after each commit."""
        async with asyncio.timeout(30):
            while True:
                news = self.store.bell.listen()
                if await check():
                    return
                await news.wait()

    async def upload(self, content: bytes = ROWS, name: str = "toast.jsonl") -> str:
        form = FormData({"purpose": "fine-tune"}, quote_fields=False)
        form.add_field("file", BytesIO(content), filename=name)
        async with self.http.post("/v1/files", data=form) as response:
            assert response.status == 200, await response.text()
            return str((await response.json())["id"])

    async def create(self, **extra: object) -> str:
        """Create a job without a plan."""
        body = {"model": MODEL, "training_file": await self.upload(), "suffix": "toast", **extra}
        async with self.http.post("/v1/fine_tuning/jobs", json=body) as response:
            assert response.status == 200, await response.text()
            return str((await response.json())["id"])

    async def status(self, job_id: str) -> str:
        return str((await self.job(job_id))["status"])

    async def until_status(self, job_id: str, *wanted: str) -> None:
        async def reached() -> bool:
            return await self.status(job_id) in wanted

        await self.until(reached)

    async def job(self, job_id: str) -> dict[str, Any]:
        async with self.http.get(f"/v1/fine_tuning/jobs/{job_id}") as response:
            found: dict[str, Any] = await response.json()
        return found

    async def act(self, path: str, *, expect: int = 200) -> dict[str, Any]:
        """POST without a body: cancel, pause, resume."""
        async with self.http.post(path) as response:
            body: dict[str, Any] = await response.json()
            assert response.status == expect, body
        return body

    async def messages(self, job_id: str) -> list[str]:
        """Return all that was said of a job, oldest first."""
        events: list[dict[str, Any]] = []
        more = True
        while more:
            after = {"after": events[-1]["id"]} if events else {}
            async with self.http.get(f"/v1/fine_tuning/jobs/{job_id}/events", params=after) as response:
                page = await response.json()
            events += page["data"]
            more = page["has_more"]
        return [event["message"] for event in reversed(events)]

    def lives(self, job_id: str) -> list[int]:
        """Return the pids of the trainers that a job has had."""
        return [int(line) for line in (self.folder(job_id).path / "lives").read_text().splitlines()]

    def go_on(self, job_id: str) -> None:
        """Open the gate at which the trainer holds."""
        (self.folder(job_id).path / "go").touch()

    async def until_step(self, job_id: str, step: int = 1) -> None:
        async def reached() -> bool:
            async with self.http.get(f"/v1/fine_tuning/jobs/{job_id}") as response:
                progress = (await response.json())["progress"]
            return progress is not None and progress["step"] >= step

        await self.until(reached)


@asynccontextmanager
async def run_agent(
    settings: AgentSettings,
    behaviour: str = "succeed",
    *,
    timings: Timings = QUICK,
    works: bool = True,
    machine: Callable[[], Machine] = lambda: MACHINE,
    supervisor_ahead_s: float = 0,
    clock: Callable[[], float] = time.time,
    monotonic: Callable[[], float] = time.monotonic,
    boot: Callable[[], str] = boot_id,
    check_model: Callable[[str], object] = check_model,
    patience: Patience | None = None,
    model_source: Callable[[str], BaseModelSource] | None = None,
    other_models: Callable[[], list[str]] = list,
    inspector: Inspects | None = None,
    disk_free: Callable[[Path], int] = free_bytes,
    shape: ModelShape | None = None,  # of the one base model, where somebody has read its config
) -> AsyncIterator[Agent]:
    """Run an agent; `works=False` leaves its supervisor standing, so that nothing leaves the queue.

    Its inspector only counts lines, unless it is given another one.
    """
    put_empty_store(settings.hearth_data_dir)
    store = await Store.open(settings.hearth_data_dir / DATABASE)
    fake = FakeInspector()
    answerer = Answerer(
        store=store,
        settings=settings,
        machine=machine,
        clock=clock,
        ram_free=lambda: machine().memory_free_mib,
        command=(sys.executable, str(FAKE_MODEL)),
        patience=patience,
        sandbox=OPEN,
    )
    held = partial(held_now, jobs_dir=settings.jobs_dir, chat=answerer.holder)
    intake = Intake(
        store=store,
        data_dir=settings.hearth_data_dir,
        inspector=inspector or fake,
        make_plan=make_plan,
        machine=machine,
        clock=time.time,
        other_models=other_models,
        held=held,
    )
    supervisor = Supervisor(
        store=store,
        settings=settings,
        machine=machine,
        model_source=model_source or (lambda name: source_for(name, settings)),
        clock=lambda: clock() + supervisor_ahead_s,
        monotonic=monotonic,
        trainer=(sys.executable, str(FAKE_TRAINER), behaviour),
        timings=timings,
        boot=boot,
        make_way=answerer.make_way,
        sandbox=OPEN,
    )
    services = Services(
        settings=settings,
        key=KEY,
        store=store,
        intake=intake,
        answerer=answerer,
        held=held,
        machine=machine,
        check_model=check_model,
        base_models=lambda: [
            Candidate(model=Model(id=MODEL, created=0, owned_by="HuggingFaceTB", kind="base"), shape=shape)
        ],
        signs=supervisor.signs,
        warnings=list,
        disk=Disk(settings.hearth_data_dir, floor_mib=settings.hearth_disk_floor_mib, free=disk_free),
        clock=clock,
        started_at=0,
        version="0",
        keep_alive_s=0.05,
    )
    await intake.resume()
    work = asyncio.create_task(supervisor.run()) if works else None
    headers = {"Authorization": f"Bearer {KEY}"}
    async with AsyncExitStack() as stack:
        server = TestServer(build_app(services))
        await stack.enter_async_context(server)
        url = str(server.make_url("/"))
        http = await stack.enter_async_context(ClientSession(url, headers=headers))
        agent = Agent(services=services, supervisor=supervisor, inspector=fake, url=url, http=http)
        stack.push_async_callback(agent.close)
        yield agent
        if work is not None:
            assert not work.done() or work.exception() is None
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
    await intake.close()
    await answerer.close()
    await store.close()
