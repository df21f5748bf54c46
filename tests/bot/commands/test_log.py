"""/log: what happened to a job in words, and its log as a file."""

from shared.events import ArtifactData, CheckpointData, EvaluationData, SampleData, StageData, StateData
from shared.jobs import JobStatus, Stage
from shared.people import GrantKind
from shared.results import Answer
from tests.bot.harness import Bot, fits
from tests.bot.time_zone import living_in
from tests.fakes.agent_server import FakeAgent


async def test_the_last_events_are_told_in_words_with_their_times(agent: FakeAgent, bot: Bot) -> None:
    job_id = agent.add_job().id
    agent.emit(job_id, StateData(status=JobStatus.queued))
    agent.enter(job_id, Stage.prepare)
    agent.enter(job_id, Stage.train)
    agent.step(job_id, 9)
    agent.emit(job_id, EvaluationData(step=9, split="validation", loss=2.1, best_loss=2.1, best_step=9))
    agent.emit(job_id, CheckpointData(step=9, train_loss=2.0, valid_loss=2.1, best=True))
    agent.emit(job_id, SampleData(answer=Answer(question="secret", base="secret", tuned="secret")))
    agent.emit(job_id, ArtifactData(name="toast.gguf", path="toast.gguf", bytes=2048, sha256="0"))
    agent.fail(job_id)
    with living_in("Europe/Berlin"):
        reply = await bot.say("/log")
    words = [line.partition(" ")[2].partition(" ")[2] for line in reply.text.splitlines() if line.startswith("- ")]
    assert words == [
        "Waiting",
        "Cutting the rows into tokens",
        "Learning from the rows",
        "Step 9: loss on held-out rows 2.100",
        "Step 9: saved, the best so far",
        "Written: toast.gguf, 2.0 KiB",
        "Noticed: The loss became infinite",
        "Failed: Training broke down at step 12 of 45.",
    ]
    assert reply.title == "What happened · #1 toast"
    assert all(line[2:4].isdigit() and line[4] == ":" for line in reply.text.splitlines() if line.startswith("- "))
    assert "secret" not in reply.text
    assert fits(reply.text)


async def test_what_happened_before_a_thousand_steps_is_found(agent: FakeAgent, bot: Bot) -> None:
    job_id = agent.add_job().id
    agent.enter(job_id, Stage.train)
    for step in range(250):
        agent.step(job_id, step)
    assert "Learning from the rows" in (await bot.say("/log #1")).text


async def test_of_a_stage_only_what_it_said_last_is_told(agent: FakeAgent, bot: Bot) -> None:
    job_id = agent.add_job().id
    for part in ("1 of 9", "2 of 9", "3 of 9"):
        agent.emit(job_id, StageData(stage=Stage.fetch, done=False, detail=part))
    text = (await bot.say("/log")).text
    assert text.count("Getting the base model") == 1
    assert "Getting the base model: 3 of 9" in text


async def test_a_job_of_which_nothing_is_known_yet_says_so(agent: FakeAgent, bot: Bot) -> None:
    agent.add_job()
    assert (await bot.say("/log")).text == "What happened · #1 toast\nNothing yet."
    assert [button.line for button in bot.chat.last.buttons] == ["/log #1 file"]


async def test_an_empty_log_is_no_file(agent: FakeAgent, bot: Bot) -> None:
    agent.add_job()
    agent.log_lines = 0
    assert "still empty" in (await bot.say("/log file")).text


async def test_who_may_not_watch_a_job_reads_why(agent: FakeAgent, bot: Bot) -> None:
    agent.people.own("test", "ada", "Ada")
    agent.people.grant("test", GrantKind.person, "ada", "Ada")
    agent.add_job()
    reply = await bot.say("/log #1", person="eve")
    assert "What happened" not in reply.text
    assert not any(button.line.startswith("/log") for button in reply.buttons)
