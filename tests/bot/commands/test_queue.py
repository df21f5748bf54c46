"""/queue and /gpu: whose turn it is, and on what."""

from bot.core.blocks import Items
from shared.jobs import JobStatus, PauseReason
from shared.machine import TaskInfo, TaskKind
from shared.people import GrantKind
from tests.bot.harness import Bot, fits
from tests.fakes.agent_server import NOW, FakeAgent


async def test_an_empty_queue_says_what_is_next(agent: FakeAgent, bot: Bot) -> None:
    reply = await bot.say("/queue")
    assert reply.text == "Nothing runs and nothing waits\n/finetune with a file is next at once."
    agent.paused = True
    reply = await bot.say("/queue")
    assert reply.text == "Nothing runs and nothing waits\nThe machine is paused: nothing starts."
    assert [button.line for button in reply.buttons] == ["/resume"]


async def test_queue_lists_what_runs_then_places_then_what_is_paused(agent: FakeAgent, bot: Bot) -> None:
    agent.add_job(suffix="paused", status=JobStatus.paused, paused=PauseReason.asked)
    agent.add_job(suffix="third", queue_position=2)
    agent.add_job(suffix="second", queue_position=1, estimated_start=NOW + 600)
    agent.step(agent.add_job(suffix="first", estimated_finish=NOW + 600).id, 20)
    agent.add_job(suffix="over", status=JobStatus.failed)
    reply = await bot.say("/queue")
    [queue] = reply.blocks
    assert isinstance(queue, Items)
    assert (reply.title, queue.items) == (
        "The queue",
        (
            "#4 first · training 44 %",
            "#3 second · waiting, place 1",
            "#2 third · waiting, place 2",
            "#1 paused · paused",
        ),
    )
    assert queue.below[0].startswith("done about ")
    assert queue.below[1].startswith("starts about ")
    assert queue.below[2:] == ("", "")
    assert fits(reply.text)


async def test_a_long_queue_says_how_many_more(agent: FakeAgent, bot: Bot) -> None:
    for number in range(1, 14):
        agent.add_job(queue_position=number)
    assert (await bot.say("/queue")).text.endswith("and 3 more jobs")


async def test_gpu_is_the_card_of_the_machine_without_a_job(agent: FakeAgent, bot: Bot) -> None:
    agent.step(agent.add_job().id, 5)
    agent.add_job()
    reply = await bot.say("/gpu")
    assert reply.text.startswith("Busy with a job, 1 job waiting\nCPU (2 cores)\n\nRAM free: 5.3 GiB of 7.6 GiB")
    assert len(bot.chat.messages) == 1


async def test_gpu_says_which_model_is_asked(agent: FakeAgent, bot: Bot) -> None:
    agent.task = TaskInfo(kind=TaskKind.answer, job_id="ftjob-3", job_number=3)
    assert (await bot.say("/gpu")).text.startswith("Free\n#3 answers a question\nCPU (2 cores)")


async def test_resume_of_a_paused_machine_is_offered_to_those_who_may(agent: FakeAgent, bot: Bot) -> None:
    agent.people.own("test", "ada", "Ada")
    agent.people.grant("test", GrantKind.person, "mia", "Mia")
    agent.add_job()
    agent.paused = True
    assert not (await bot.say("/queue")).buttons
    assert [button.label for button in (await bot.say("/queue", person="ada")).buttons] == ["Resume"]
