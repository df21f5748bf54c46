"""/status #n details and /status #n files: what the card and the result of a job leave out is a tap behind them."""

from dataclasses import replace

import pytest

from bot.core.reply import Weight
from bot.words.format import clock_second, clock_time
from shared.jobs import JobStatus
from shared.people import RequestedBy
from shared.results import Answer
from tests.bot.harness import Bot, fits
from tests.fakes.agent_server import ALT_TEXT, NOW, RESULT, FakeAgent
from tests.fakes.agent_server.facts import SETTINGS

ALIKE = Answer(question="Hi", base="Hello there!", tuned="Hello there, friend!")
UNLIKE = Answer(question="Who are you?", base="I am an assistant made by people.", tuned="Mrrp. Toast. Five naps.")
FOR_OLLAMA = ["toast.gguf", "Modelfile"]
ALL = ["toast.gguf", "adapter_model.safetensors", "Modelfile", "report.json"]


@pytest.fixture
def done(agent: FakeAgent, bot: Bot) -> Bot:
    """A bot, and job #1, which has made a model that this chat takes."""
    agent.succeed(agent.add_job(status=JobStatus.running).id, gguf=b"G" * 900)
    return bot


async def test_details_of_a_run_show_what_its_card_leaves_out_and_are_asked_for_again(
    agent: FakeAgent, bot: Bot
) -> None:
    job = agent.add_job(started_at=NOW - 600)
    agent.step(job.id, 20)
    card = await bot.say("/status #1")
    reply = await bot.press("Details")
    for said in [
        "Step: 20 of 45", "Epoch: 2.2 of 5", "Best so far: 1.430", "Speed: 212 tokens/s", "Memory: 1.1 GiB",
        f"Measured at: {clock_second(NOW + 20)}", "Learns from: smollm2-135m",
        f"Asked for: {clock_time(NOW, now=NOW)}\n", "Runs for: 10 min",
    ]:  # fmt: skip
        assert said in reply.text
        assert said not in card.text
    assert "Number: #1" in reply.text
    assert reply.title == "toast · training 44 %"
    assert reply.image is not None
    assert reply.image.alt_text == ALT_TEXT
    assert not reply.live
    assert [button.label for button in reply.buttons] == ["Look again", "Log", "Half the rate", "Save now"]
    agent.step(job.id, 30)
    assert "Step: 30 of 45" in (await bot.press("Look again")).text


async def test_details_of_a_job_that_waits_say_what_is_known(agent: FakeAgent, bot: Bot) -> None:
    agent.add_job()
    assert "Details" not in [button.label for button in (await bot.say("/status #1")).buttons]
    reply = await bot.say("/status #1 details")
    assert "Number: #1" in reply.text
    assert reply.image is None


async def test_details_of_a_model_hold_all_figures_and_the_way_to_delete_its_files(agent: FakeAgent, done: Bot) -> None:
    agent.change("ftjob-1", settings=SETTINGS)
    reply = await done.say("/status #1 details")
    for said in [
        "Loss on held-out rows: 2.913 → 1.434", "Steps: 45", "Time: 3 min", "Speed: 212 tokens/s", "Memory: 1.1 GiB",
        "Epochs: 5", "Learning rate: 0.0002", "Rank: 16", "Rows a step: 8", "lower is better",
        "Few rows\n104 rows are few", "Add rows of the same kind",
    ]:  # fmt: skip
        assert said in reply.text
    assert reply.image is not None
    assert fits(reply.text)
    assert [button.label for button in reply.buttons] == ["Train again", "Log", "Files", "Delete files"]
    assert (await done.press("Delete files")).text.startswith("Delete the 5 files")


async def test_the_result_is_one_message_with_what_ollama_takes_and_the_rest_on_request(done: Bot) -> None:
    await done.say("/status #1")
    assert len(done.chat.messages) == 2  # the machine, then the result
    reply = done.chat.last
    assert [file.name for file in reply.files] == FOR_OLLAMA
    assert reply.image is None
    assert [button.label for button in reply.buttons if button.weight is Weight.primary] == ["Chat"]
    files = await done.press("Files")
    assert files.title == "Files · toast"
    assert [file.name for file in files.files] == ALL
    assert files.image is not None
    assert [button.line for button in files.buttons] == ["/delete #1"]


async def test_where_files_are_no_messages_the_result_brings_them_all(done: Bot) -> None:
    done.chat._capabilities = replace(done.chat.capabilities, buttons=False)
    reply = await done.say("/status #1")
    assert [file.name for file in reply.files] == ALL
    assert reply.image is not None


async def test_there_are_no_files_before_the_end(agent: FakeAgent, bot: Bot) -> None:
    agent.step(agent.add_job().id, 20)
    assert "#1 toast has no files: training 44 %" in (await bot.say("/status #1 files")).text


async def test_the_result_shows_one_answer_and_the_details_show_all(agent: FakeAgent, done: Bot) -> None:
    agent.change("ftjob-1", result=RESULT.model_copy(update={"answers": [UNLIKE, ALIKE]}))
    text = (await done.say("/status #1")).text
    assert f"{UNLIKE.question}\nbefore: {UNLIKE.base}\nafter: {UNLIKE.tuned}" in text
    assert ALIKE.tuned not in text
    details = (await done.press("Details")).text
    assert ALIKE.tuned in details
    assert UNLIKE.tuned in details


async def test_an_advice_that_changes_something_is_a_tap_to_a_better_plan(agent: FakeAgent, done: Bot) -> None:
    advice = RESULT.advice[0].model_copy(update={"change": {"n_epochs": 7}})
    agent.change("ftjob-1", result=RESULT.model_copy(update={"advice": [advice]}))
    reply = await done.say("/status #1")
    assert [button.label for button in reply.buttons] == ["Chat", "Share", "Improve", "Details", "Files"]
    assert reply.buttons[2].line == "/retry #1 epochs:7"


async def test_status_alone_shows_everything_of_mine_that_goes_on(agent: FakeAgent, bot: Bot) -> None:
    mine = RequestedBy(platform="test", person="mia", chat="room")
    running = agent.add_job(suffix="pirate", status=JobStatus.running, requested_by=mine)
    agent.step(running.id, 20)
    agent.add_job(suffix="crumb", status=JobStatus.queued, requested_by=mine, queue_position=1)
    agent.add_job(suffix="held", status=JobStatus.paused, requested_by=mine)
    agent.add_job(suffix="toms", status=JobStatus.queued, requested_by=mine.model_copy(update={"person": "tom"}))
    await bot.say("/status")
    machine = bot.chat.messages["m1"].text
    assert "Yours\n" in machine
    assert "toms" not in machine
    told = machine + bot.chat.last.text  # the newest that runs has its whole card
    for said in ("pirate · training 44 %", "loss 2.20", "#2 crumb · waiting", "held · paused"):
        assert said in told
