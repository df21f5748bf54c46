"""How the end of a job is told: in its card and in one new message, with its files or its cause."""

from pathlib import Path

import pytest

from bot.errors import ChatBusyError
from shared.errors import ErrorCode
from shared.events import QueueData
from shared.jobs import JobStatus
from shared.results import Advice
from tests.bot.harness import Bot, RecordingChat, fits, open_bot
from tests.bot.one_job import card, started
from tests.fakes.agent_server import ALT_TEXT, RESULT, SETTINGS, FakeAgent, refusal


async def test_the_end_is_told_in_the_card_and_in_one_new_message(agent: FakeAgent, bot: Bot) -> None:
    job_id = await started(agent, bot)
    agent.step(job_id, 45)
    agent.succeed(job_id)
    await bot.until(lambda: len(bot.chat.messages) == 2, step_s=1)
    assert card(bot).startswith("toast · done\nLoss on held-out rows 2.913 → 1.434")
    result = bot.chat.last
    for said in ["✓ toast is ready · 3 min", "fell by half", "What is the best seat",
                 "before: The best seat", "after: The one with"]:  # fmt: skip
        assert said in result.text
    assert fits(result.text)
    assert result.image is None
    assert result.copy[0].lines == ("ollama create toast -f Modelfile", "ollama run toast")
    assert bot.core.follow.endings == [JobStatus.succeeded]
    await bot.core.follow.all_told()
    details = await bot.press("Details")  # one tap behind it
    for said in ["lower is better", "Few rows", "104 rows are few", "200 make the figure steady"]:
        assert said not in result.text
        assert said in details.text
    assert details.image is not None
    assert details.image.alt_text == ALT_TEXT


async def test_files_are_attached_up_to_the_limit_and_named_above_it(agent: FakeAgent, bot: Bot) -> None:
    job_id = await started(agent, bot)
    agent.succeed(job_id)
    await bot.until(lambda: len(bot.chat.messages) == 2, step_s=1)
    result = bot.chat.last
    assert [file.name for file in result.files] == ["Modelfile"]
    assert "Too large for this chat: toast.gguf, 2.0 KiB" in result.copy[1].intro
    assert result.copy[1].lines == ("hearth-agent results 1",)
    every = await bot.press("Files")
    assert [file.name for file in every.files] == ["adapter_model.safetensors", "Modelfile", "report.json"]
    assert "Too large for this chat: toast.gguf, 2.0 KiB" in every.copy[0].intro


async def test_a_result_is_one_message_with_the_model_and_what_ollama_needs(agent: FakeAgent, tmp_path: Path) -> None:
    chat = RecordingChat(upload_bytes=None)
    async with open_bot(agent, tmp_path, chat) as bot:
        agent.succeed(await started(agent, bot))
        await bot.core.follow.all_told()
    assert [reply.title for reply in chat.messages.values()] == ["toast · done", "✓ toast is ready · 3 min"]
    assert [file.name for file in chat.last.files] == ["toast.gguf", "Modelfile"]


async def test_a_failure_names_cause_advice_what_was_kept_and_what_to_do(agent: FakeAgent, bot: Bot) -> None:
    job_id = await started(agent, bot)
    agent.step(job_id, 12)
    agent.fail(job_id)
    await bot.until(lambda: len(bot.chat.messages) == 2, step_s=1)
    assert card(bot).startswith("toast · failed")
    text = bot.chat.last.text.replace("\n", " ")
    for said in ["Training broke down at step 12", "lower learning rate", "12 of 45 steps"]:
        assert said in text
    assert not bot.chat.last.copy, "the button goes on by itself"
    assert [button.label for button in bot.chat.last.buttons] == ["Again, as advised", "Try again", "Log"]
    assert bot.chat.last.buttons[-1].line == "/log #1"
    plan = await bot.press("Again, as advised")  # one tap, and still nothing starts before Start
    assert plan.text.startswith("toast.jsonl · 104 chat rows → toast")
    assert agent.plan_requests[-1].method.hyperparameters.learning_rate == 1e-4
    assert len(agent.jobs) == 1


async def test_too_little_memory_is_met_by_one_tap_to_a_plan_that_needs_less(agent: FakeAgent, bot: Bot) -> None:
    job_id = await started(agent, bot)
    agent.run_out_of_memory(job_id)
    await bot.until(lambda: len(bot.chat.messages) == 2, step_s=1)
    assert "The memory of the GPU machine was not enough for this job." in " ".join(bot.chat.last.text.split())
    assert [button.label for button in bot.chat.last.buttons] == ["Again, as advised", "Try again", "Log"]
    plan = await bot.press("Again, as advised")
    assert plan.text.startswith("toast.jsonl · 104 chat rows → toast")
    assert agent.plan_requests[-1].method.hyperparameters.per_device_train_batch_size == 2


async def test_a_full_disk_calls_the_person_once_and_again_if_it_fills_again(agent: FakeAgent, tmp_path: Path) -> None:
    chat = RecordingChat()
    async with open_bot(agent, tmp_path, chat) as bot:
        job_id = await started(agent, bot)
        agent.step(job_id, 5)
        agent.fill_disk(job_id)
        await bot.until(lambda: len(chat.messages) == 2, step_s=1)
        assert chat.last.text.startswith("! #1 toast needs you\nThe disk of the GPU machine is full,")
        assert chat.last.mention == "mia"
        assert [button.label for button in chat.last.buttons] == ["Resume", "Log", "Stop"]
        await bot.say("/status #1")  # a newer card of the job
        await bot.until(lambda: "The disk is full" in chat.last.text, step_s=1)
    async with open_bot(agent, tmp_path, chat) as bot:
        await bot.until(lambda: len(agent.feeds) == 2, step_s=1)
        agent.emit(job_id, QueueData(position=1, wait_s=None))
        await bot.until(lambda: bot.core.follow.cursor == len(agent.events), step_s=1)
        assert sum(text.startswith("! #1 toast needs you") for text in chat.texts) == 1
        await bot.press("Resume")
        agent.step(job_id, 6)
        await bot.until(lambda: any("training 13 %" in text for text in chat.texts), step_s=1)
        count = len(chat.messages)
        agent.fill_disk(job_id)
        await bot.until(lambda: len(chat.messages) == count + 1, step_s=1)
        assert chat.last.text.startswith("! #1 toast needs you")


async def test_a_lost_gpu_calls_the_person_and_one_tap_lets_the_machine_go_on(agent: FakeAgent, bot: Bot) -> None:
    job_id = await started(agent, bot)
    agent.step(job_id, 5)
    agent.lose_gpu(job_id)
    await bot.until(lambda: len(bot.chat.messages) == 2, step_s=1)
    assert bot.chat.last.text.startswith("! #1 toast needs you\nThe GPU does not answer any more,")
    assert "The GPU does not answer: restart that PC" in " ".join(card(bot).split())
    await bot.press("Resume")
    assert not agent.paused
    assert agent.jobs[job_id].status is not JobStatus.paused


async def test_a_cancelled_job_says_so_in_both_places(agent: FakeAgent, bot: Bot) -> None:
    await started(agent, bot)
    await bot.say("/cancel #1 yes")
    await bot.until(lambda: len(bot.chat.messages) == 3, step_s=1)
    assert card(bot).startswith("toast · stopped")
    assert bot.chat.last.text.startswith("toast was stopped, as you asked")


async def test_a_result_that_the_chat_did_not_take_is_not_counted_as_a_delivery(agent: FakeAgent, bot: Bot) -> None:
    job_id = await started(agent, bot)
    bot.chat.post_failures = [ChatBusyError(1.0)] * 5
    agent.succeed(job_id)
    await bot.until(lambda: len(bot.chat.messages) == 2, step_s=1)
    assert bot.chat.last.text.startswith("✓ toast is ready")


async def test_a_result_file_that_is_lost_is_said_and_the_result_still_told(agent: FakeAgent, bot: Bot) -> None:
    job_id = await started(agent, bot)
    agent.succeed(job_id)
    lost = agent.jobs[job_id].result_files[1]
    del agent.files[lost]
    await bot.until(lambda: len(bot.chat.messages) == 2, step_s=1)
    assert card(bot).startswith("toast · done")
    assert "1 file is missing: the agent has lost it." in bot.chat.last.text
    await bot.core.follow.all_told()
    files = await bot.press("Files")
    assert [file.name for file in files.files] == ["Modelfile", "report.json"]
    assert "1 file is missing: the agent has lost it." in files.text


async def test_a_refusal_at_the_end_is_not_the_end_of_the_card(agent: FakeAgent, bot: Bot) -> None:
    job_id = await started(agent, bot)
    agent.refuse["/v1/files/"] = refusal(ErrorCode.internal, "not now")
    agent.asked.clear()
    agent.succeed(job_id)
    await bot.until(lambda: any(path.startswith("/v1/files/") for path in agent.asked), step_s=1)
    agent.refuse.clear()
    await bot.until(lambda: len(bot.chat.messages) == 2, step_s=1)
    assert card(bot).startswith("toast · done")
    assert bot.chat.last.text.startswith("✓ toast is ready")


@pytest.mark.parametrize(("used", "line"), [(0.5, "epochs:50 rank:256"), (50, "rank:256")])
async def test_an_advice_beyond_the_limits_makes_a_tap_within_them(
    agent: FakeAgent, bot: Bot, used: float, line: str
) -> None:
    job_id = await started(agent, bot)
    change: dict[str, float | int] = {"n_epochs": 52, "r": 512, "eval_steps": 3}
    advice = Advice(rule="underfitting", title="Underfitting", message="m", suggestion="s", change=change)
    agent.change(job_id, settings=SETTINGS.model_copy(update={"n_epochs": used}))
    agent.end(job_id, JobStatus.succeeded, result=RESULT.model_copy(update={"advice": [advice]}), stage=None)
    await bot.until(lambda: len(bot.chat.messages) == 2, step_s=1)
    [improve] = [button.line for button in bot.chat.last.buttons if button.label == "Improve"]
    assert improve == f"/retry #1 {line}"
    assert "104 chat rows → " in (await bot.press("Improve")).text
    assert agent.plan_requests[-1].method.hyperparameters.r == 256
