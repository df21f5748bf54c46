"""A training that runs is changed by a tap: ended early with a model, slowed down, saved."""

from shared.jobs import JobStatus, Steering
from tests.bot.harness import Bot
from tests.fakes.agent_server import FakeAgent


async def test_who_stops_a_training_may_keep_a_model_of_it(agent: FakeAgent, bot: Bot) -> None:
    job = agent.add_job(status=JobStatus.running)
    question = await bot.say("/cancel #1")
    labels = [button.label for button in question.buttons]
    assert labels == ["Yes, stop it", "Let it go on"], "nothing is trained yet that a model could be made of"
    agent.step(job.id, 5)
    question = await bot.say("/cancel #1")
    labels = [button.label for button in question.buttons]
    assert labels == ["Yes, stop it", "Keep the best", "After this epoch", "Let it go on"]
    said = await bot.press("Keep the best")
    assert said.text == "#1 toast ends with its next step. A model is made of the best weights so far."
    said = await bot.say("/cancel #1 keep-epoch")
    assert said.text == "#1 toast ends after this epoch. A model is made of its best weights."
    assert agent.steered == [Steering.finish, Steering.finish_epoch]
    assert agent.jobs["ftjob-1"].status is JobStatus.running


async def test_it_is_slowed_down_and_saved_by_a_tap_on_its_details(agent: FakeAgent, bot: Bot) -> None:
    job = agent.add_job(status=JobStatus.running)
    agent.step(job.id, 5)
    await bot.say("/status #1 details")
    assert "half its learning rate from the next step" in (await bot.press("Half the rate")).text
    assert "saves its place with the next step" in (await bot.say("/status #1 save")).text
    assert agent.steered == [Steering.slow_down, Steering.checkpoint]


async def test_one_that_does_not_train_refuses_in_words(agent: FakeAgent, bot: Bot) -> None:
    agent.add_job(status=JobStatus.paused)
    assert "Job #1 does not train now." in (await bot.say("/status #1 slower")).text
