"""People who ask an agent for everything they may ask for, and ask again when it is down."""

import asyncio
import itertools
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, FormData

from shared.jobs import FINISHED
from tests.agent.fake_inspector import MODEL
from tests.agent.running_agent import KEY, ROWS
from tests.soak.campaign import BrokenPromise, Campaign

REFUSALS = {"job_finished", "job_not_running", "job_not_paused"}
JOBS = "/v1/fine_tuning/jobs"
PATIENCE_S = 60.0  # an agent that is started again and again must answer in between
AT_ONCE = 5  # jobs that have not ended


class People:
    """Everyone who talks to the agent. What was accepted is in `accepted`: a job's id by its Idempotency-Key."""

    def __init__(self, campaign: Campaign, data_dir: Path, http: ClientSession) -> None:
        self._campaign = campaign
        self._data_dir = data_dir
        self._http = http
        self._serials = itertools.count(1)
        self.accepted: dict[str, str] = {}
        self.seen: list[str] = []  # the ids of all events that the feed told, in its order
        self.status: dict[str, str] = {}  # what was last heard of each job

    async def ask(
        self, method: str, path: str, form: Callable[[], FormData] | None = None, **keywords: Any
    ) -> dict[str, Any]:
        """Ask until there is an answer; return its body."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE_S
        while loop.time() < deadline:
            with suppress(ClientError, OSError, TimeoutError, json.JSONDecodeError):
                url = (self._data_dir / "address").read_text() + path.removeprefix("/")
                data = form() if form else None
                async with self._http.request(method, url, data=data, timeout=ClientTimeout(10), **keywords) as answer:
                    body: dict[str, Any] = await answer.json()
                refused = answer.status >= 400 and body["error"]["code"] not in REFUSALS
                self._campaign.promise(not refused, f"{method} {path} was answered {answer.status}: {body}")
                return body
            await asyncio.sleep(0.05)
        raise BrokenPromise(f"{method} {path} had no answer for {PATIENCE_S:.0f} s")

    async def create(self) -> str:
        """Send a file and start a job from it."""
        file = await self.ask("POST", "/v1/files", _upload)
        key = f"key-{next(self._serials)}"
        body = {"model": MODEL, "training_file": file["id"], "suffix": "toast"}
        job = await self.ask("POST", JOBS, json=body, headers={"Idempotency-Key": key})
        self.accepted[key] = job["id"]
        self.status[job["id"]] = job["status"]
        self._campaign.tell(f"made job #{job['number']}, {job['id']}")
        return str(job["id"])

    async def act(self, job_id: str, action: str) -> None:
        """Cancel, pause or resume."""
        body = await self.ask("POST", f"{JOBS}/{job_id}/{action}")
        said = body["status"] if "status" in body else body["error"]["code"]
        self._campaign.tell(f"{action} {job_id}: {said}")

    def open_gate(self, job_id: str) -> None:
        """Let the job's trainer go on, if there is one already."""
        folder = self._data_dir / "jobs" / job_id
        if folder.exists():
            (folder / "go").touch()

    async def look(self) -> None:
        """Hear how the jobs are that have not ended."""
        for job_id in self.unfinished():
            self.status[job_id] = (await self.ask("GET", f"{JOBS}/{job_id}"))["status"]

    def unfinished(self) -> list[str]:
        return [job_id for job_id, status in self.status.items() if status not in FINISHED]

    async def live(self) -> None:
        """Do one thing that people do."""
        dice = self._campaign.dice
        await self.look()
        unfinished = self.unfinished()
        what = dice.choice(["create", "go", "go", "go", "pause", "resume", "resume", "cancel", "nothing"])
        if not unfinished or (what == "create" and len(unfinished) < AT_ONCE):
            await self.create()
        elif what == "go":
            self.open_gate(dice.choice(unfinished[:2]))
        elif what in {"pause", "resume", "cancel"}:
            await self.act(dice.choice(unfinished), what)
        await asyncio.sleep(dice.uniform(0, 0.3))

    async def bring_home(self) -> None:
        """Help all jobs to their ends."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE_S + 5 * len(self.unfinished())
        while self.unfinished():
            left = {job_id: self.status[job_id] for job_id in self.unfinished()}
            self._campaign.promise(loop.time() < deadline, f"jobs that never end: {left}")
            for job_id, status in left.items():
                self.open_gate(job_id)
                if status == "paused":
                    await self.act(job_id, "resume")
            await self.look()
            await asyncio.sleep(0.1)

    async def follow(self) -> None:
        """Follow the feed of everything with one cursor, over all restarts, until cancelled."""
        cursor = 0
        while True:
            with suppress(ClientError, OSError, TimeoutError):
                url = (self._data_dir / "address").read_text() + "v1/agent/events"
                headers = {"Last-Event-ID": str(cursor)}
                async with self._http.get(url, headers=headers, timeout=ClientTimeout(None, sock_connect=5)) as feed:
                    async for line in feed.content:
                        if line.startswith(b"data: "):
                            event = json.loads(line[6:])
                            cursor = event["cursor"]
                            self.seen.append(event["id"])
            await asyncio.sleep(0.05)


def session() -> ClientSession:
    """Return the connection that people use."""
    return ClientSession(headers={"Authorization": f"Bearer {KEY}"})


def _upload() -> FormData:
    form = FormData({"purpose": "fine-tune"})
    form.add_field("file", ROWS, filename="toast.jsonl")
    return form
