"""The real trainer behind a real agent, on a two-layer model, killed in training, evaluation, export, verification."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import openai
from openai.types.fine_tuning import FineTuningJob

from agent.children.environment import child_environment
from agent.job_folder.checkpoint_files import damage, list_checkpoints
from agent.job_folder.events import read_events
from agent.job_folder.folder import JobFolder
from agent.running.trainer_process import is_trainer_of, signal_group
from shared.events import ProgressData, StageData
from shared.jobs import FINISHED, Stage
from tests.acceptance.test_tiny_story import ROWS, connect, supervised
from tests.soak.campaign import BrokenPromise, Campaign

KILLS = 20
AT = (
    Stage.train,
    Stage.train,
    Stage.evaluate,
    Stage.export,
    Stage.verify,
)  # at most two in a stage: three would end it
AFTER_S = {Stage.train: 3.0, Stage.evaluate: 2.0, Stage.export: 1.0, Stage.verify: 1.0}  # at most, into the stage
TOKENS_OFF = 0.1
END_S = 300.0  # for one life


def run(campaign: Campaign) -> str:
    """Play it; return what happened."""
    models = campaign.work / "models"
    environment = child_environment(offline=True) | {"OMP_NUM_THREADS": "2", "PYTHONSAFEPATH": ""}
    builder = [sys.executable, "-m", "tests.fakes.tiny_model", str(models / "tiny")]
    subprocess.run(builder, check=True, capture_output=True, env=environment)
    data_dir = campaign.work / "data"
    data_dir.mkdir()
    kills = jobs = 0
    with real_agent(data_dir, models) as client:
        file_id = client.files.create(file=("names.jsonl", ROWS), purpose="fine-tune").id
        unkilled = RealJob(campaign, client, data_dir, file_id)
        unkilled.finish()
        while kills < KILLS and campaign.has_time():
            job = RealJob(campaign, client, data_dir, file_id)
            for stage in AT[: KILLS - kills]:
                if not campaign.has_time():
                    break
                kills += job.kill_in(stage)
                campaign.note(f"{kills} kills, {jobs} jobs")
            job.finish()
            job.check(unkilled.job)
            jobs += 1
    return f"{kills} kills of the real trainer, {jobs} jobs succeeded"


@contextmanager
def real_agent(data_dir: Path, models: Path) -> Iterator[openai.OpenAI]:
    """Run `hearth-agent`; end it cleanly."""
    environment = os.environ | {
        "HEARTH_DATA_DIR": str(data_dir), "HEARTH_MODELS_DIR": str(models), "HEARTH_BIND": "127.0.0.1:0",
        "OLLAMA_HOST": "127.0.0.1:1",
    }  # fmt: skip
    with (data_dir / "agent.log").open("wb") as log:
        agent = subprocess.Popen([sys.executable, "-m", "agent"], env=environment, stdout=log, stderr=log, cwd=data_dir)
        try:
            yield connect(data_dir, agent)
        finally:
            agent.send_signal(signal.SIGTERM)
            agent.wait(30)


class RealJob:
    """One job on the two-layer model."""

    def __init__(self, campaign: Campaign, client: openai.OpenAI, data_dir: Path, file_id: str) -> None:
        self._campaign = campaign
        self._client = client
        self.job: FineTuningJob = client.fine_tuning.jobs.create(
            model="tiny", training_file=file_id, suffix="tiny-toast", seed=7,
            method=supervised(n_epochs=8, learning_rate=0.001),
        )  # fmt: skip
        self._folder = JobFolder(path=data_dir / "jobs" / self.job.id)
        self._offset = 0  # events up to here belong to lives that were ended

    def kill_in(self, stage: Stage) -> bool:
        """Kill the trainer a random moment after it enters the stage; False when that is behind it."""
        deadline = time.monotonic() + END_S
        while (now := self._stage()) != stage:
            if now is not None and list(Stage).index(now) > list(Stage).index(stage):
                return False
            self._refresh()
            if self.job.status in FINISHED or time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        time.sleep(self._campaign.dice.uniform(0, AFTER_S[stage]))
        heartbeat = self._folder.read_heartbeat()
        if heartbeat is None or not is_trainer_of(self._folder, heartbeat.pid):
            return False
        signal_group(heartbeat.pid, signal.SIGKILL)
        self._campaign.tell(f"{self.job.id}: killed in {self._stage()}, meant in {stage}")
        self._offset = self._folder.events.stat().st_size
        return True

    def _stage(self) -> Stage | None:
        """Return the stage that the life at hand has entered last."""
        records, _ = read_events(self._folder.events, self._offset)
        stages = [record.data.stage for record in records if isinstance(record.data, StageData)]
        return stages[-1] if stages else None

    def _refresh(self) -> None:
        self.job = self._client.fine_tuning.jobs.retrieve(self.job.id)

    def finish(self) -> None:
        """See it succeed."""
        deadline = time.monotonic() + END_S
        while self.job.status not in FINISHED:
            if time.monotonic() > deadline:
                raise BrokenPromise(f"{self.job.id} does not end: {self.job.status}")
            time.sleep(0.2)
            self._refresh()
        log = self._folder.log.read_text(errors="replace")[-3000:] if self._folder.log.exists() else ""
        self._campaign.promise(self.job.status == "succeeded", f"{self.job.id}: {self.job.error}\n{log}")
        self._campaign.tell(f"{self.job.id} succeeded with {self.job.trained_tokens} trained tokens")

    def check(self, unkilled: FineTuningJob) -> None:
        """Compare with the job that was let alone."""
        name = self.job.id
        assert unkilled.trained_tokens
        ratio = (self.job.trained_tokens or 0) / unkilled.trained_tokens
        self._campaign.promise(abs(ratio - 1) <= TOKENS_OFF, f"{name} trained {ratio:.3f} of the tokens")
        damaged = {c.step: damage(c) for c in list_checkpoints(self._folder.checkpoints) if damage(c)}
        self._campaign.promise(not damaged, f"{name} has damaged checkpoints: {damaged}")
        interval = self._folder.read_spec().settings.eval_steps
        records, _ = read_events(self._folder.events, 0)
        last = 0
        for record in records:
            if isinstance(record.data, ProgressData):
                step = record.data.step
                again = last - step + 1
                self._campaign.promise(
                    again <= interval, f"{name} did {again} steps again, at most {interval} promised"
                )
                last = step
        self._campaign.promise(last == self._folder.read_spec().total_steps, f"{name} ended at step {last}")
