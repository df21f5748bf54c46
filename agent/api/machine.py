"""/v1/agent, its feed, and /healthz: the machine, and everything that happens on it."""

import asyncio
import logging

from aiohttp import web

from agent.api.keyring import KEY
from agent.api.queries import FeedQuery
from agent.api.route import Route, answer, read_body, read_query
from agent.api.services import Services, services_of
from agent.api.sse import last_event_id, stream_events
from agent.machine.gpu import Machine
from agent.scheduling.task import Task
from agent.scheduling.worker import LOCAL, Worker
from agent.store import events
from agent.store import machine_state as store_of_machine
from agent.store.machine_state import MachineState
from shared.jobs import JobAction
from shared.machine import AgentInfo, Health, TaskInfo, WorkerInfo
from shared.people import Action

log = logging.getLogger(__name__)


async def get_agent(request: web.Request) -> web.Response:
    """Describe the machine and what it is doing."""
    return answer(await _describe(services_of(request)))


async def pause_agent(request: web.Request) -> web.Response:
    """Pause the machine: the running job gives it back within half a minute, and nothing starts."""
    services = services_of(request)
    body = await read_body(request, JobAction)
    await services.store.run(store_of_machine.pause, now=services.clock())
    log.info("the machine is paused by %s", body.requested_by or "the owner of the key")
    return answer(await _describe(services))


async def resume_agent(request: web.Request) -> web.Response:
    """Let jobs run again; what the pause had stopped goes on first."""
    services = services_of(request)
    body = await read_body(request, JobAction)
    await services.store.run(store_of_machine.resume, now=services.clock())
    log.info("the machine is resumed by %s", body.requested_by or "the owner of the key")
    return answer(await _describe(services))


async def _describe(services: Services) -> AgentInfo:
    store = services.store
    machine = await asyncio.to_thread(services.machine)
    state = await store.run(store_of_machine.state)
    return AgentInfo(
        version=services.version,
        started_at=services.started_at,
        device=machine.name,
        memory_kind=machine.memory_kind,
        memory_free_mib=machine.memory_free_mib,
        memory_total_mib=machine.memory_total_mib,
        disk_free_mib=machine.disk_free_mib,
        file_size_limit=services.settings.hearth_file_limit_mib * 1024**2,
        running_job=next(iter(state.running.values()), None),
        workers=[_worker(worker, state, services.answerer.task, machine) for worker in state.workers],
        queued_jobs=state.queued_jobs,
        feed_cursor=state.feed_cursor,
        paused=state.paused,
        warnings=services.warnings(),
    )


def _worker(worker: Worker, state: MachineState, task: Task | None, machine: Machine) -> WorkerInfo:
    mine = worker.name == LOCAL
    return WorkerInfo(
        name=worker.name,
        device=machine.name if mine else worker.device,
        memory_total_mib=machine.memory_total_mib if mine else worker.memory_mib,
        running_job=state.running.get(worker.name),
        task=TaskInfo(kind=task.kind, job_id=task.job_id, job_number=task.number) if mine and task else None,
    )


async def follow_agent(request: web.Request) -> web.StreamResponse:
    """Send every event of every job that the key reaches, behind the cursor asked for or from now on."""
    query = read_query(request, FeedQuery)
    store = services_of(request).store
    key = request[KEY]
    platforms = None if key.is_owner else key.platforms
    seen = last_event_id(request)
    after = seen if seen is not None else query.after
    return await stream_events(
        request,
        feed="everything" if platforms is None else f"everything:{platforms}",
        after=after if after is not None else await store.run(events.latest_cursor),
        number=lambda event: event.cursor,
        read_page=lambda cursor: store.run(events.of_agent, after=cursor, platforms=platforms),
    )


async def get_health(request: web.Request) -> web.Response:
    """Say that the agent serves."""
    return answer(Health(version=services_of(request).version))


ROUTES = (
    Route(
        method="GET",
        path="/v1/agent",
        handler=get_agent,
        action=Action.see_machine,
        summary="Describe the machine and its work",
        answer=AgentInfo,
    ),
    Route(
        method="POST",
        path="/v1/agent/pause",
        handler=pause_agent,
        action=Action.pause_machine,
        summary="Take the machine back: the running job pauses, nothing starts",
        body=JobAction,
        answer=AgentInfo,
    ),
    Route(
        method="POST",
        path="/v1/agent/resume",
        handler=resume_agent,
        action=Action.pause_machine,
        summary="Let jobs run again",
        body=JobAction,
        answer=AgentInfo,
    ),
    Route(
        method="GET",
        path="/v1/agent/events",
        handler=follow_agent,
        action=Action.follow_all,
        summary="Follow everything that happens; the event's id is its cursor",
        query=FeedQuery,
        media="text/event-stream",
    ),
    Route(
        method="GET",
        path="/healthz",
        handler=get_health,
        summary="Say that the agent serves",
        answer=Health,
        open=True,
    ),
)
