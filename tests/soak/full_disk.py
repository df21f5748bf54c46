"""What `disk` plays on its small disk: `python -m tests.soak.full_disk FOLDER SEED MINUTES`."""

import asyncio
import itertools
import logging
import os
import shutil
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiohttp import FormData

from agent.store import Store
from shared.jobs import FINISHED
from tests.agent.fake_inspector import MODEL
from tests.agent.running_agent import ROWS, Agent, run_agent
from tests.soak.books import all_jobs, check_books, summary_of
from tests.soak.campaign import BrokenPromise, Campaign, Storyteller, make_settings

LEFT = (0, 0, 0, 4096, 65536, 2**20, 30 * 2**20)  # bytes left free
WORDS = ("disk", "full")
START_S = 20.0


def main() -> int:
    """Play both parts; return the exit code."""
    folder, seed, minutes = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    campaign = Campaign(name="disk", seed=seed, minutes=minutes, work=folder)
    logging.getLogger().handlers = [Storyteller(campaign)]
    try:
        print(asyncio.run(_run(campaign)) + "; " + _full_at_start(campaign, folder))
    except Exception as error:
        print("\n".join(campaign.story))
        if not isinstance(error, BrokenPromise):
            traceback.print_exc()
        print(f"BROKEN: {error}")
        return 1
    return 0


# --- full in the middle


async def _run(campaign: Campaign) -> str:
    settings = make_settings(campaign.work / "data")
    rounds = 0
    async with run_agent(settings, "hold") as agent:
        while campaign.has_time() or rounds == 0:
            left = campaign.dice.choice(LEFT)
            campaign.tell(f"round {rounds + 1}: {left} bytes left")
            await _round(campaign, agent, left)
            rounds += 1
        found = await check_books(campaign, agent.store, settings.jobs_dir)
    bad = [
        job for job in found if job.status == "failed" and (job.error is None or job.error.code != "insufficient_disk")
    ]
    campaign.promise(not bad, f"failed for another reason: {bad}")
    return f"{rounds} disks filled, {summary_of(found)}"


async def _round(campaign: Campaign, agent: Agent, left: int) -> None:
    """A job is running, the disk fills, people ask for more, the job goes on; then there is room again."""
    job_id = await agent.create()
    file_id = await agent.upload()
    await agent.until_step(job_id)
    wish = campaign.dice.choice(["", "", "pause", "cancel"])
    accepted = []
    with filled(campaign.work, left):
        answers = [await _send(agent), *[await _create(agent, file_id, n) for n in range(40)]]
        for status, body in answers:
            _check_answer(campaign, status, body)
        accepted = [body["id"] for status, body in answers if status == 200 and body["object"] == "fine_tuning.job"]
        refused = sum(status == 507 for status, _ in answers)
        campaign.tell(f"{refused} of {len(answers)} were refused for want of disk, {len(accepted)} jobs accepted")
        job = await agent.job(job_id)
        campaign.promise(job["status"] == "running", f"a full disk ended a job that was training: {job}")
        if wish:
            async with agent.http.post(f"/v1/fine_tuning/jobs/{job_id}/{wish}") as response:
                wished = response.status == 200
                _check_answer(campaign, response.status, await response.json())
            campaign.tell(f"{wish} was {'accepted' if wished else 'refused'}")
        if campaign.dice.random() < 0.8:
            agent.go_on(job_id)
        await asyncio.sleep(campaign.dice.uniform(0.2, 3))
    agent.go_on(job_id)
    await _bring_home(campaign, agent, [job_id, *accepted])
    ended = (await agent.job(job_id))["status"]
    campaign.promise(ended != "failed", f"the job that was training failed: {await agent.job(job_id)}")
    for each in await all_jobs(agent.store):
        shutil.rmtree(agent.folder(each.id).path / "tmp", ignore_errors=True)


async def _bring_home(campaign: Campaign, agent: Agent, job_ids: list[str]) -> None:
    """There is room: resume what is paused, and see all end."""
    deadline = time.monotonic() + 30 + 2 * len(job_ids)
    while left := {each: job["status"] for each in job_ids if (job := await agent.job(each))["status"] not in FINISHED}:
        if time.monotonic() > deadline:
            raise BrokenPromise(f"there is room again, and these do not end: {left}")
        for each, status in left.items():
            if agent.folder(each).path.exists():
                agent.go_on(each)
            if status == "paused":
                await agent.act(f"/v1/fine_tuning/jobs/{each}/resume")
        await asyncio.sleep(0.2)
    campaign.tell("all ended")


async def _send(agent: Agent) -> tuple[int, dict[str, Any]]:
    form = FormData({"purpose": "fine-tune"})
    form.add_field("file", ROWS * 100, filename="toast.jsonl")
    async with agent.http.post("/v1/files", data=form) as response:
        return response.status, await response.json()


async def _create(agent: Agent, file_id: str, number: int) -> tuple[int, dict[str, Any]]:
    body = {"model": MODEL, "training_file": file_id, "metadata": {f"note-{n}": "x" * 500 for n in range(15)}}
    async with agent.http.post("/v1/fine_tuning/jobs", json=body) as response:
        return response.status, await response.json()


def _check_answer(campaign: Campaign, status: int, body: dict[str, Any]) -> None:
    """Done, or refused in words."""
    if status == 200:
        return
    error = body["error"]
    in_words = error["code"] == "insufficient_disk" and all(word in error["message"] for word in WORDS)
    refused = status in {507, 409} and (in_words or status == 409)
    campaign.promise(refused, f"on a full disk the agent answered {status}: {body}")


@contextmanager
def filled(disk: Path, left: int) -> Iterator[None]:
    """Fill the disk but for so many bytes; free it at the end."""
    ballast = disk / "ballast"
    try:
        with ballast.open("wb", buffering=0) as file:
            try:
                for _ in itertools.count():
                    file.write(bytes(65536))
            except OSError:
                pass
            size = file.tell()
            while size < ballast.stat().st_size:
                size = ballast.stat().st_size
            file.truncate(max(0, size - left))
        yield
    finally:
        ballast.unlink()


# --- full at the start


def _full_at_start(campaign: Campaign, folder: Path) -> str:
    """The agent starts and says what is wrong, or does not start and says it; with room it starts, all jobs known."""
    told = []
    for name in ("data", "new"):
        data_dir = folder / name
        before = asyncio.run(_job_ids(data_dir)) if name == "data" else []
        for left in LEFT[2:5]:
            with filled(folder, left):
                came_up, said = _start(data_dir)
            campaign.tell(f"{name}, {left} bytes left: came up: {came_up}; said:\n{said}")
            campaign.promise(
                came_up or "Traceback" not in said, f"a full disk at the start ({name}) makes a traceback:\n{said}"
            )
            in_words = "disk" in said or "No space left" in said
            campaign.promise(came_up or in_words, f"the agent did not start on a full disk and said: {said}")
            told.append("came up" if came_up else "said so")
        came_up, said = _start(data_dir)
        campaign.promise(came_up, f"with room again the agent does not start:\n{said}")
        campaign.promise(asyncio.run(_job_ids(data_dir))[: len(before)] == before, "jobs were lost")
    return f"full at the start: {', '.join(told)}"


async def _job_ids(data_dir: Path) -> list[str]:
    store = await Store.open(data_dir / "hearth.sqlite3")
    try:
        return [job.id for job in await all_jobs(store)]
    finally:
        await store.close()


def _start(data_dir: Path) -> tuple[bool, str]:
    """Start the agent that people run; say whether it came up, and what it said. Then end it."""
    environment = os.environ | {"HEARTH_DATA_DIR": str(data_dir), "HEARTH_BIND": "127.0.0.1:0"}
    command = [sys.executable, "-m", "agent"]
    agent = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/tmp")
    address = data_dir / "agent.address"
    deadline = time.monotonic() + START_S
    while agent.poll() is None and not address.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    came_up = agent.poll() is None and address.exists()
    agent.terminate()
    out, _ = agent.communicate(timeout=30)
    return came_up, out.decode(errors="replace")


if __name__ == "__main__":
    sys.exit(main())
