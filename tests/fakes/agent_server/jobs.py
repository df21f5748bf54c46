"""Jobs, and what can be watched of them."""

from typing import TYPE_CHECKING

from aiohttp import web

from shared.errors import ErrorCode
from shared.events import EventList, StateData
from shared.jobs import FINISHED, Job, JobList, JobRequest, JobStatus, PauseReason, SteerRequest
from shared.people import Action
from tests.fakes.agent_server.answers import answer, refuse
from tests.fakes.agent_server.facts import ALT_TEXT
from tests.fakes.agent_server.rights import Rule, asker

if TYPE_CHECKING:
    from tests.fakes.agent_server.server import FakeAgent

JOBS = "/v1/fine_tuning/jobs"


class JobRoutes:
    """/v1/fine_tuning/jobs."""

    def __init__(self, agent: "FakeAgent") -> None:
        self._agent = agent

    def rules(self) -> list[Rule]:
        return [
            Rule("POST", JOBS, self._create, Action.start_job),
            Rule("GET", JOBS, self._list, Action.see_queue),
            Rule("GET", JOBS + "/{id}", self._job, Action.see_queue),
            Rule("POST", JOBS + "/{id}/cancel", self._cancel, Action.cancel_job, "job"),
            Rule("POST", JOBS + "/{id}/pause", self._pause, Action.pause_job, "job"),
            Rule("POST", JOBS + "/{id}/resume", self._resume, Action.resume_job, "job"),
            Rule("POST", JOBS + "/{id}/steer", self._steer, Action.cancel_job, "job"),
            Rule("GET", JOBS + "/{id}/events", self._job_events, Action.watch_job, "job"),
            Rule("GET", JOBS + "/{id}/plot.png", self._plot, Action.watch_job, "job"),
            Rule("GET", JOBS + "/{id}/share.png", self._share, Action.watch_job, "job"),
            Rule("GET", JOBS + "/{id}/log", self._log, Action.watch_job, "job"),
        ]

    async def _create(self, request: web.Request) -> web.Response:
        wanted = JobRequest.model_validate_json(await request.read())
        self._agent.people.check(asker(request), Action.use_plan, "plan", wanted.plan or "")
        self._agent.job_requests.append(wanted)
        made = [job for job in self._agent.jobs.values() if job.plan == request.headers["Idempotency-Key"]]
        if made:
            return answer(made[0])
        plan = self._agent.plans[wanted.plan or ""]
        waiting = sum(job.status not in FINISHED for job in self._agent.jobs.values())
        job = self._agent.add_job(suffix=plan.suffix, plan=plan.id, queue_position=waiting + 1)
        asked = {"requested_by": wanted.requested_by, "start_at": wanted.start_at}
        self._agent.change(job.id, training_file=plan.training_file, mapping=plan.mapping, **asked)
        if self._agent.autoplay:
            self._agent.play(job.id)
        return answer(self._agent.jobs[job.id])

    async def _list(self, request: web.Request) -> web.Response:
        limit = int(request.query.get("limit", "20"))
        who = asker(request)
        newest = [self._agent.people.as_seen(who, job) for job in reversed(self._agent.jobs.values())]
        return answer(JobList(data=newest[:limit], has_more=len(newest) > limit))

    async def _job(self, request: web.Request) -> web.Response:
        return answer(self._agent.people.as_seen(asker(request), self._named(request)))

    async def _cancel(self, request: web.Request) -> web.Response:
        job = self._named(request)
        if job.status in FINISHED:
            return refuse(ErrorCode.job_finished, f"Job #{job.number} has ended.", status=409)
        self._agent.end(job.id, JobStatus.cancelled)
        return answer(self._agent.jobs[job.id])

    async def _pause(self, request: web.Request) -> web.Response:
        job = self._named(request)
        if job.status is not JobStatus.running:
            return refuse(ErrorCode.job_not_running, f"Job #{job.number} does not run.", status=409)
        self._agent.change(job.id, status=JobStatus.paused, paused=PauseReason.asked)
        self._agent.emit(job.id, StateData(status=JobStatus.paused))
        return answer(self._agent.jobs[job.id])

    async def _steer(self, request: web.Request) -> web.Response:
        job = self._named(request)
        if job.status is not JobStatus.running:
            return refuse(ErrorCode.job_not_running, f"Job #{job.number} does not train now.", status=409)
        self._agent.steered.append(SteerRequest.model_validate_json(await request.read()).what)
        return answer(job)

    async def _resume(self, request: web.Request) -> web.Response:
        job = self._named(request)
        if job.status is not JobStatus.paused:
            return refuse(ErrorCode.job_not_paused, f"Job #{job.number} is not paused.", status=409)
        self._agent.change(job.id, status=JobStatus.queued, paused=None, queue_position=1)
        self._agent.emit(job.id, StateData(status=JobStatus.queued))
        return answer(self._agent.jobs[job.id])

    async def _job_events(self, request: web.Request) -> web.Response:
        job = self._named(request)
        events = [event for event in reversed(self._agent.events) if event.job_id == job.id]
        ids = [event.id for event in events]
        if "after" in request.query:
            events = events[ids.index(request.query["after"]) + 1 :]
        limit = int(request.query.get("limit", "20"))
        return answer(EventList(data=events[:limit], has_more=len(events) > limit))

    async def _share(self, request: web.Request) -> web.Response:
        self._agent.shared.append(int(request.query["answer"]))
        return web.Response(body=self._agent.plot, content_type="image/png", headers={"X-Alt-Text": "A picture."})

    async def _plot(self, request: web.Request) -> web.Response:
        job = self._named(request)
        if job.progress is None and job.result is None:
            raise KeyError(f"plot of job #{job.number}")
        if "theme" in request.query and not self._agent.themes:
            return refuse(ErrorCode.invalid_request, "“theme” is not a known field. None is taken here.", status=400)
        self._agent.plotted.append(request.query.get("theme", "light"))
        return web.Response(body=self._agent.plot, content_type="image/png", headers={"X-Alt-Text": ALT_TEXT})

    async def _log(self, request: web.Request) -> web.Response:
        job = self._named(request)
        return web.Response(
            text="".join(f"step {n} of job {job.number}\n" for n in range(1, self._agent.log_lines + 1))
        )

    def _named(self, request: web.Request) -> Job:
        return self._agent.job_named(request.match_info["id"])
