from bot.terminal_ui.layout import fitted
from shared.jobs import JobStatus, Stage
from tests.bot.harness import Bot, fits
from tests.fakes.agent_server import ALT_TEXT, FakeAgent


async def test_jobs_lists_number_state_and_name(agent: FakeAgent, bot: Bot) -> None:
    assert "No jobs yet" in (await bot.say("/jobs")).text
    agent.add_job(status=JobStatus.failed)
    agent.step(agent.add_job(suffix="mia").id, 20)
    assert (await bot.say("/jobs")).text == "The last jobs\n\n- #2 mia · training 44 %\n- #1 toast · failed"


async def test_status_shows_the_machine_and_the_live_card(agent: FakeAgent, bot: Bot) -> None:
    agent.step(agent.add_job().id, 20)
    await bot.say("/status")
    machine, card = bot.chat.messages.values()
    assert "CPU (2 cores)" in machine.text
    assert card.live
    assert card.text.startswith("toast · training 44 %\n\n▓▓▓▓▓░")
    assert card.text.endswith("\n#1")


async def test_status_moves_the_live_card_and_leaves_one(agent: FakeAgent, bot: Bot) -> None:
    agent.step(agent.add_job().id, 20)
    await bot.say("/status")
    await bot.say("/status #1")
    assert [reply.live for reply in bot.chat.messages.values()] == [False, False, False, True]
    assert "further down" in bot.chat.messages["m2"].text


async def test_status_of_a_finished_job_hands_out_its_result_again(agent: FakeAgent, bot: Bot) -> None:
    job = agent.add_job(status=JobStatus.running)
    agent.succeed(job.id)
    reply = await bot.say(f"/status #{job.number}")
    assert reply.text.startswith("✓ toast is ready · 3 min\n")
    assert "Modelfile" in [file.name for file in reply.files]


async def test_status_without_jobs_is_the_machine(bot: Bot) -> None:
    assert (await bot.say("/status")).text.startswith("Free\nCPU")


async def test_without_a_number_the_running_job_is_meant(agent: FakeAgent, bot: Bot) -> None:
    agent.step(agent.add_job(suffix="first").id, 1)
    agent.add_job(suffix="second")
    assert "first" in (await bot.say("/cancel")).text
    assert "second" in (await bot.say("/cancel 2")).text


async def test_what_is_no_job_is_said(agent: FakeAgent, bot: Bot) -> None:
    assert "is no job" in (await bot.say("/log ../../etc")).text
    assert "There is no job 7" in (await bot.say("/log #7")).text
    assert "no job yet" in (await bot.say("/cancel")).text


async def test_cancel_asks_once_and_then_stops_the_job(agent: FakeAgent, bot: Bot) -> None:
    job = agent.add_job()
    agent.step(job.id, 20)
    question = await bot.say("/cancel")
    assert question.title == "Stop #1 toast?"
    assert "20 steps" in question.text
    assert agent.jobs[job.id].status is JobStatus.running
    reply = await bot.press("Yes, stop it")
    assert reply.text.startswith("Stopping #1 toast")
    assert agent.jobs[job.id].status is JobStatus.cancelled
    assert len(bot.chat.messages) == 1
    assert "nothing to stop" in (await bot.say("/cancel #1")).text.replace("\n", " ")


async def test_a_declined_cancel_changes_nothing(agent: FakeAgent, bot: Bot) -> None:
    job = agent.add_job()
    await bot.say("/cancel")
    assert (await bot.press("Let it go on")).text == "#1 toast goes on."
    assert agent.jobs[job.id].status is JobStatus.queued


async def test_plot_comes_with_its_description(agent: FakeAgent, bot: Bot) -> None:
    job = agent.add_job()
    assert "nothing to plot yet" in (await bot.say("/plot")).text.replace("\n", " ")
    agent.step(job.id, 20)
    image = (await bot.say("/plot")).image
    assert image is not None
    assert image.alt_text == ALT_TEXT


async def test_log_is_a_file_with_a_short_excerpt(agent: FakeAgent, bot: Bot) -> None:
    agent.add_job()
    await bot.say("/log")
    reply = await bot.press("As a file")
    assert "30 lines" in reply.text
    assert reply.text.endswith("step 30 of job 1")
    assert b"step 1 of job 1\n" in b"".join([chunk async for chunk in reply.files[0].open()])


async def test_models_names_what_to_learn_from_and_what_was_made(bot: Bot) -> None:
    text = (await bot.say("/models")).text
    assert "- smollm2-135m, 135 million weights, apache-2.0" in text
    assert "1.2 GiB of memory, 1,000 rows in" in text
    assert "- toast:v1, from smollm2-135m" in text


async def test_models_that_would_fit_after_a_download_are_shown_and_others_not(bot: Bot) -> None:
    text = (await bot.say("/models")).text
    assert text.index("smollm2-135m") < text.index("Qwen/Qwen2.5-1.5B-Instruct")
    assert "many languages, code" in " ".join(text.split())
    assert "Llama-3.3-70B" not in text
    assert fits(text)


async def test_help_fits_one_phone_screen(bot: Bot) -> None:
    text = (await bot.say("/help")).text
    assert fits(text)
    assert len(fitted(text).splitlines()) <= 24


async def test_each_stage_has_a_phrase_for_a_person(agent: FakeAgent, bot: Bot) -> None:
    job = agent.add_job()
    for stage in Stage:
        agent.step(job.id, 45)
        agent.enter(job.id, stage)
        text = (await bot.say("/status")).text
        assert fits(text)
        assert f"({list(Stage).index(stage) + 1} of 7)" in text or stage is Stage.train
