"""/retry: the same run once more, changed where asked."""

from shared.mapping import Mapping
from tests.bot.harness import Bot, dataset
from tests.bot.questions import COLUMNS
from tests.fakes.agent_server import FakeAgent


async def job(bot: Bot) -> None:
    await bot.say("/finetune preset:thorough name:mia seed:7 epochs:4 rank:8", dataset())
    await bot.press("Start")


async def test_retry_plans_file_model_name_seed_and_settings_once_more(agent: FakeAgent, bot: Bot) -> None:
    await job(bot)
    asked = agent.plan_requests[0]
    agent.change("ftjob-1", seed=asked.seed, method=asked.method, preset=asked.preset)
    for line in ("/retry", "/retry #1"):
        assert (await bot.say(line)).title == "mia.jsonl · 104 chat rows → mia"
    assert agent.plan_requests[1] == agent.plan_requests[2] == asked
    assert len(agent.jobs) == 1


async def test_retry_changes_what_is_typed_and_nothing_else(agent: FakeAgent, bot: Bot) -> None:
    await job(bot)
    agent.change("ftjob-1", method=agent.plan_requests[0].method)
    for line in ("/retry #1 epochs:9", "/retry epochs=9"):
        await bot.say(line)
        settings = agent.plan_requests[-1].method.hyperparameters
        assert (settings.n_epochs, settings.r) == (9, 8)


async def test_a_retry_with_another_file_keeps_the_settings_and_not_how_the_old_file_was_read(
    agent: FakeAgent, bot: Bot
) -> None:
    await job(bot)
    asked = agent.plan_requests[0]
    agent.change("ftjob-1", method=asked.method, mapping=Mapping(question="Frage", answer="Antwort"))
    await bot.say("/retry #1", dataset())
    again = agent.plan_requests[-1]
    assert again.training_file != asked.training_file
    assert (again.method, again.mapping) == (asked.method, None)


async def test_what_a_question_about_the_file_interrupts_goes_on_like_the_job(agent: FakeAgent, bot: Bot) -> None:
    await job(bot)
    agent.change("ftjob-1", method=agent.plan_requests[0].method, seed=7)
    agent.question = COLUMNS
    await bot.say("/retry #1 epochs:9")
    await bot.press("Yes, read it so")
    again = agent.plan_requests[-1]
    settings = again.method.hyperparameters
    assert (settings.n_epochs, settings.r, again.seed) == (9, 8, 7)


async def test_a_retry_sent_once_more_means_the_same_job(agent: FakeAgent, bot: Bot) -> None:
    await job(bot)
    agent.lose.append(("POST", "/v1/fine_tuning/jobs/ftjob-1/plans"))
    await bot.say("/retry epochs:9")
    assert bot.core.requests.unanswered()[0].arguments == ("#1", "n_epochs:9")
    agent.add_job(suffix="newer")
    await bot.until(lambda: not bot.core.requests.unanswered(), step_s=1)
    assert agent.plan_requests[-1].suffix == "mia"


async def test_what_is_no_job_is_said(bot: Bot) -> None:
    assert "no job yet" in (await bot.say("/retry")).text
    assert "is no job" in (await bot.say("/retry soon")).text
