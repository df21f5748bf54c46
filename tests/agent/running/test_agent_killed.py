"""kill -9 of the agent, at the worst moments and again and again: its jobs run once, in the same trainer."""

import contextlib
import json
from collections.abc import Iterator

import openai
import pytest
from openai.types.fine_tuning import FineTuningJob

from agent.job_folder.events import has_ended
from agent.settings import AgentSettings
from tests.agent.agent_process import MOMENTS, KilledAgent, until
from tests.agent.fake_inspector import MODEL
from tests.agent.running_agent import ROWS

pytestmark = pytest.mark.process


def create(api: openai.OpenAI) -> str:
    file = api.files.create(file=("toast.jsonl", ROWS), purpose="fine-tune")
    return str(api.fine_tuning.jobs.create(model=MODEL, training_file=file.id, suffix="toast").id)


def check_ran_once(agent: KilledAgent, job_id: str) -> None:
    api = agent.api()
    until(lambda: api.fine_tuning.jobs.retrieve(job_id).status in {"succeeded", "failed"})
    job = api.fine_tuning.jobs.retrieve(job_id)
    assert job.status == "succeeded", job.error
    assert len(agent.pids(job_id)) == 1
    written = [json.loads(line)["message"] for line in agent.folder(job_id).events.read_text().splitlines()]
    said = [event.message for event in api.fine_tuning.jobs.list_events(job_id, limit=100)][::-1]
    assert [message for message in said if message in written] == written
    assert said.count("Done.") == 1
    assert len(job.result_files) == 1
    check_no_death(job, said)


def check_no_death(job: FineTuningJob, said: list[str]) -> None:
    """No death was counted or said where nothing had died but the agent."""
    assert job.model_extra is not None
    assert job.model_extra["attempt"] == 1
    assert not [message for message in said if "attempt" in message]


@pytest.fixture
def agent(settings: AgentSettings) -> Iterator[KilledAgent]:
    agent = KilledAgent(settings.hearth_data_dir)
    yield agent
    agent.kill()


@pytest.mark.parametrize("moment", MOMENTS)
def test_job_runs_once_although_the_agent_is_killed(agent: KilledAgent, moment: str) -> None:
    agent.start("succeed", moment)
    job_id = create(agent.api())
    agent.until_dead()
    agent.start("succeed")
    check_ran_once(agent, job_id)


def test_agent_killed_ten_times_finds_the_same_trainer_each_time(agent: KilledAgent) -> None:
    agent.start("hold")
    job_id = create(agent.api())
    until(lambda: agent.pids(job_id))
    for _ in range(10):
        agent.kill()
        agent.start("hold")
        job = agent.api().fine_tuning.jobs.retrieve(job_id)
        assert job.status == "running"
    agent.kill()
    (agent.folder(job_id).path / "go").touch()
    until(lambda: has_ended(agent.folder(job_id).events))  # what was trained meanwhile is not lost either
    agent.start("hold")
    check_ran_once(agent, job_id)


@pytest.mark.parametrize("moment", ["between claim and look for a trainer", "between claim and spawn"])
def test_agent_killed_before_a_paused_job_has_a_trainer_again_costs_no_attempt(agent: KilledAgent, moment: str) -> None:
    agent.start("hold")
    job_id = create(agent.api())
    until(lambda: agent.pids(job_id))
    act(agent, job_id, "pause")
    until(lambda: agent.api().fine_tuning.jobs.retrieve(job_id).status == "paused")
    agent.kill()
    agent.start("succeed", moment)
    act(agent, job_id, "resume")
    agent.until_dead()
    agent.start("succeed")
    api = agent.api()
    until(lambda: api.fine_tuning.jobs.retrieve(job_id).status == "succeeded")
    said = [event.message for event in api.fine_tuning.jobs.list_events(job_id, limit=100)]
    check_no_death(api.fine_tuning.jobs.retrieve(job_id), said)
    assert len(agent.pids(job_id)) == 2


def act(agent: KilledAgent, job_id: str, action: str) -> None:
    with contextlib.suppress(openai.APIConnectionError):  # it may be killed by what follows
        agent.api().post(f"/fine_tuning/jobs/{job_id}/{action}", cast_to=object)


def test_accepted_job_is_there_after_a_kill_at_the_next_instant(agent: KilledAgent) -> None:
    agent.start("hold")
    job_id = create(agent.api())
    agent.kill()
    agent.start("succeed")
    check_ran_once(agent, job_id)
