from shared.jobs import JobStatus, PauseReason
from tests.bot.harness import Bot
from tests.fakes.agent_server import NOW, FakeAgent


async def test_pause_with_a_number_pauses_that_job_and_resume_lets_it_go_on(agent: FakeAgent, bot: Bot) -> None:
    job = agent.add_job()
    agent.step(job.id, 5)
    reply = await bot.say("/pause #1")
    assert reply.text == "#1 toast is paused.\nIt goes on where it was with /resume #1."
    assert agent.jobs[job.id].paused is PauseReason.asked
    assert (await bot.press("Resume")).text.startswith("#1 toast goes on.")
    assert agent.jobs[job.id].status is JobStatus.queued


async def test_pause_alone_pauses_the_machine_and_resume_alone_resumes_it(agent: FakeAgent, bot: Bot) -> None:
    agent.step(agent.add_job().id, 5)
    text = (await bot.say("/pause")).text
    assert "gives the memory back within 30 s" in text.replace("\n", " ")
    assert "Nothing starts until /resume." in text
    assert agent.paused
    agent.warnings = ["The disk is nearly full: 1.2 GiB free."]
    await bot.say("/status")
    machine = list(bot.chat.messages.values())[1].text
    assert machine.startswith("Paused\nNothing starts until /resume.\n")
    assert "! The disk is nearly full" in machine
    assert (await bot.say("/resume")).text.startswith("The machine goes on.")
    assert not agent.paused


async def test_resume_alone_means_the_one_paused_job_if_the_machine_works(agent: FakeAgent, bot: Bot) -> None:
    assert "Nothing is paused" in (await bot.say("/resume")).text
    agent.add_job(status=JobStatus.paused, paused=PauseReason.disk)
    assert (await bot.say("/resume")).text.startswith("#1 toast goes on.")
    agent.add_job(status=JobStatus.paused)
    agent.add_job(status=JobStatus.paused)
    assert "2 jobs are paused" in (await bot.say("/resume")).text.replace("\n", " ")


async def test_a_resume_sent_once_more_means_what_it_meant(agent: FakeAgent, bot: Bot) -> None:
    job = agent.add_job(status=JobStatus.paused, paused=PauseReason.asked)
    agent.paused = True
    agent.lose.append(("POST", "/v1/agent/resume"))
    await bot.say("/resume")
    await bot.until(lambda: bot.chat.last.text.startswith("The machine goes on."), step_s=1)
    assert agent.jobs[job.id].status is JobStatus.paused


async def test_a_job_resumed_on_a_paused_machine_is_told_what_holds_it(agent: FakeAgent, bot: Bot) -> None:
    agent.add_job(status=JobStatus.paused)
    agent.paused = True
    assert "The machine itself is paused" in (await bot.say("/resume #1")).text


async def test_resume_of_a_job_that_waits_for_its_time_says_so(agent: FakeAgent, bot: Bot) -> None:
    agent.add_job(start_at=NOW + 8 * 3600)
    agent.add_job()
    assert "#1 toast is not paused: it waits for" in (await bot.say("/resume #1")).text.replace("\n", " ")
    assert "#2 toast is not paused: it waits for its turn" in (await bot.say("/resume #2")).text.replace("\n", " ")


async def test_on_a_paused_machine_no_start_is_promised(agent: FakeAgent, bot: Bot) -> None:
    agent.paused = True
    plan = await bot.say("/finetune sample")
    assert " · starts after /resume: the machine is paused\n" in plan.text
    card = await bot.press("Start")
    assert "The machine is paused: nothing starts until /resume" in " ".join(card.text.split())
    assert "starts about" not in (await bot.say("/queue")).text


async def test_what_cannot_be_paused_or_resumed_says_why(agent: FakeAgent, bot: Bot) -> None:
    job = agent.add_job()
    assert "does not run yet" in (await bot.say("/pause #1")).text.replace("\n", " ")
    agent.step(job.id, 5)
    assert (await bot.say("/resume #1")).text == "#1 toast is not paused."
    agent.change(job.id, pausing=True)
    assert "still being paused" in (await bot.say("/resume #1")).text.replace("\n", " ")
    agent.succeed(job.id)
    for line in ("/pause #1", "/resume #1"):
        assert "has ended already" in (await bot.say(line)).text.replace("\n", " ")


async def test_a_pause_without_contact_is_kept_and_sent(agent: FakeAgent, bot: Bot) -> None:
    await agent.stop()
    assert (await bot.say("/pause")).text.startswith("Queued until the PC is back")
    await agent.restart()
    await bot.until(lambda: agent.paused, step_s=1)
