"""What is asked while the agent is away: kept, sent once, taken back, and answered in the same message."""

import asyncio
from pathlib import Path

import pytest

from bot.core.call import Attachment
from bot.core.reply import Reply
from bot.dispatch.dispatch import dispatch
from bot.dispatch.resend import Resender
from bot.errors import ChatBusyError, ChatClosedError, MessageGoneError
from shared.jobs import JobStatus
from tests.bot.harness import Bot, RecordingChat, dataset, fits, open_bot
from tests.bot.kept.test_database import fill
from tests.fakes.agent_server import FakeAgent

PLAN = "104 chat rows → "  # in the title of a plan that may be started


def read(bot: Bot, message_id: str = "m1") -> str:
    return bot.chat.messages[message_id].text


def kept(bot: Bot) -> int:
    return len(bot.core.requests.unanswered())


async def test_a_file_sent_while_the_pc_sleeps_is_queued_and_becomes_a_plan_when_it_is_back(
    agent: FakeAgent, bot: Bot
) -> None:
    await agent.stop()
    reply = await bot.say("/finetune name:mia", bot.chat.attach(dataset()))
    assert reply.text.startswith("Queued until the PC is back\nI cannot reach the agent at")
    assert fits(reply.text)
    assert [button.label for button in reply.buttons] == ["Forget it"]
    await agent.restart()
    await bot.until(lambda: "mia.jsonl · 104 chat rows → mia" in read(bot), step_s=1)
    assert agent.plan_requests[0].suffix == "mia"
    await bot.until(lambda: kept(bot) == 0)
    assert len(bot.chat.messages) == 1


async def test_start_without_contact_turns_the_plan_card_into_a_queued_one_and_then_into_the_live_card(
    agent: FakeAgent, bot: Bot
) -> None:
    await bot.say("/finetune sample")
    await agent.stop()
    assert (await bot.press("Start")).text.startswith("Queued until the PC is back")
    await agent.restart()
    await bot.until(lambda: bot.chat.messages["m1"].live, step_s=1)
    await bot.until(lambda: kept(bot) == 0)
    assert len(agent.jobs) == len(agent.job_requests) == len(bot.chat.messages) == 1


async def test_a_lost_answer_to_a_start_makes_one_job(agent: FakeAgent, bot: Bot) -> None:
    await bot.say("/finetune sample")
    agent.lose.append(("POST", "/v1/fine_tuning/jobs"))
    await bot.press("Start")
    assert len(agent.jobs) == 1
    await bot.until(lambda: bot.chat.messages["m1"].live, step_s=1)
    assert len(agent.job_requests) == 2
    assert len(agent.jobs) == 1


async def test_a_bot_that_ended_sends_what_it_kept_when_it_begins_again(agent: FakeAgent, tmp_path: Path) -> None:
    chat = RecordingChat()
    await agent.stop()
    async with open_bot(agent, tmp_path, chat) as bot:
        await bot.say("/finetune", chat.attach(dataset()))
    await agent.restart()
    async with open_bot(agent, tmp_path, chat) as bot:
        await bot.until(lambda: kept(bot) == 0, step_s=1)
        assert PLAN in read(bot)
    async with open_bot(agent, tmp_path, chat) as bot:
        await bot.core.requests.all_answered()
    assert len(chat.messages) == len(agent.plans) == 1


async def test_a_file_that_is_gone_from_the_chat_ends_the_request_with_that_sentence(
    agent: FakeAgent, bot: Bot
) -> None:
    await agent.stop()
    await bot.say("/finetune", bot.chat.attach(dataset()))
    bot.chat.stored.clear()
    await agent.restart()
    await bot.until(lambda: kept(bot) == 0, step_s=1)
    assert read(bot).replace("\n", " ") == "That file is not in the chat any more. Send it once more."


async def test_a_file_that_cannot_be_read_is_said_and_not_taken_for_a_silent_agent(agent: FakeAgent, bot: Bot) -> None:
    def gone() -> None:
        raise FileNotFoundError(2, "No such file", "mia.jsonl")

    async def chunks():  # type: ignore[no-untyped-def]
        yield b"{"
        gone()

    text = (await bot.say("/finetune", Attachment(name="mia.jsonl", size=9, open=chunks))).text
    assert "I could not read mia.jsonl" in text.replace("\n", " ")
    assert kept(bot) == 0


async def test_forget_it_takes_a_queued_request_back(agent: FakeAgent, bot: Bot) -> None:
    await agent.stop()
    await bot.say("/finetune sample")
    reply = await bot.press("Forget it")
    assert "was not sent" in reply.text.replace("\n", " ")
    assert not reply.buttons
    await agent.restart()
    await bot.until(lambda: bool(agent.feeds), step_s=1)
    assert (kept(bot), agent.files, len(bot.chat.messages)) == (0, {}, 1)
    assert "not waiting any more" in (await bot.say("/cancel kept:1")).text.replace("\n", " ")


async def test_a_cancel_without_contact_is_recorded_and_applied_on_contact(agent: FakeAgent, bot: Bot) -> None:
    job = agent.add_job()
    await agent.stop()
    question = await bot.say("/cancel #1")
    assert question.text.startswith("Stop #1?\nI cannot reach the agent")
    assert (await bot.press("Yes, stop it")).text.startswith("Queued until the PC is back")
    await agent.restart()
    await bot.until(lambda: "Stopping #1 toast" in read(bot), step_s=1)
    assert agent.jobs[job.id].status is JobStatus.cancelled
    assert len(bot.chat.messages) == 1


async def test_a_cancel_sent_once_more_is_answered_in_words(agent: FakeAgent, bot: Bot) -> None:
    agent.add_job()
    agent.lose.append(("POST", "/v1/fine_tuning/jobs/ftjob-1/cancel"))
    await bot.say("/cancel #1 yes")
    await bot.until(lambda: read(bot) == "#1 toast is stopped.", step_s=1)


async def test_a_live_card_is_not_overwritten_by_a_queued_pause(agent: FakeAgent, bot: Bot) -> None:
    agent.step(agent.add_job().id, 5)
    await bot.say("/status #1")
    await agent.stop()
    await bot.say("/pause #1", message_id="m2")
    assert read(bot, "m3").startswith("Queued")
    assert not read(bot, "m2").startswith("Queued")


async def test_what_was_asked_first_is_sent_first(agent: FakeAgent, bot: Bot) -> None:
    await agent.stop()
    for name in ("one", "two", "three"):
        await bot.say(f"/finetune sample name:{name}")
    await agent.restart()
    await bot.until(lambda: kept(bot) == 0, step_s=1)
    assert [request.suffix for request in agent.plan_requests] == ["one", "two", "three"]


async def test_an_answer_that_the_chat_did_not_take_is_given_later_without_a_second_job(
    agent: FakeAgent, bot: Bot
) -> None:
    await bot.say("/finetune sample")
    bot.chat.failures = [ChatBusyError(5.0)]
    await bot.press("Start")
    assert len(agent.jobs) == 1
    await bot.until(lambda: bot.chat.messages["m1"].live, step_s=1)
    assert len(agent.jobs) == 1


async def test_an_answer_whose_message_is_gone_is_posted_anew(agent: FakeAgent, bot: Bot) -> None:
    await agent.stop()
    await bot.say("/finetune sample")
    bot.chat.failures = [MessageGoneError("m1")] * 2
    await agent.restart()
    await bot.until(lambda: PLAN in bot.chat.last.text, step_s=1)


async def test_what_waited_longer_than_a_plan_is_kept_is_not_sent(agent: FakeAgent, tmp_path: Path) -> None:
    chat = RecordingChat()
    await agent.stop()
    async with open_bot(agent, tmp_path, chat) as bot:
        await bot.say("/finetune sample")
    await agent.restart()
    async with open_bot(agent, tmp_path, chat) as bot:
        bot.clock.advance(8 * 86_400)
        await bot.until(lambda: kept(bot) == 0, step_s=1)
        assert "waited 7 days" in read(bot)
    assert not agent.files


async def test_a_request_of_a_chat_that_is_not_connected_waits_and_holds_up_nobody(agent: FakeAgent, bot: Bot) -> None:
    database = bot.core.requests._db
    columns = "platform, chat_id, person, command, arguments, files, asked_at"
    database.write(f"INSERT INTO requests ({columns}) VALUES ('telegram', '7', 'x', 'finetune', '[]', '[]', 1.0)")
    await agent.stop()
    await bot.say("/finetune sample")
    await agent.restart()
    async with asyncio.timeout(20):
        waiting = asyncio.create_task(bot.core.requests.all_answered())
        await bot.until(waiting.done, step_s=1)
    assert PLAN in read(bot)
    assert database.rows("SELECT platform FROM requests") == [("telegram",)]


async def test_on_a_full_disk_nothing_is_begun_but_a_job_can_be_stopped(agent: FakeAgent, bot: Bot) -> None:
    agent.step(agent.add_job().id, 5)
    fill(bot.core.requests._db)
    long = "x" * 9000
    text = (await bot.say(f"/finetune sample {long}")).text.replace("\n", " ")
    assert "disk is full" in text
    assert "Nothing was sent" in text
    assert not agent.files
    assert (await bot.say(f"/cancel #1 yes {long}")).text.startswith("Stopping #1 toast")


@pytest.mark.parametrize("line", ["/jobs", "/status", "/models", "/finetune change:ftplan-1", "/cancel #1"])
async def test_a_question_is_not_kept(agent: FakeAgent, bot: Bot, line: str) -> None:
    await agent.stop()
    assert "I cannot reach the agent" in (await bot.say(line)).text
    assert kept(bot) == 0


async def _left_unanswered(agent: FakeAgent, folder: Path, chat: RecordingChat, line: str) -> float:
    """Have a bot be killed before a word of an answer was shown; return the time of its clock."""
    gate = agent.gate("POST", "/v1/agent/pause")
    async with open_bot(agent, folder, chat) as bot:
        answering = asyncio.create_task(dispatch(bot.call(line), bot.core))
        await gate.reached.wait()
        answering.cancel()
        await asyncio.gather(answering, return_exceptions=True)
        bot.stop()
        gate.open.set()
        return bot.clock.now()


@pytest.mark.parametrize(("later_s", "done"), [(10 * 60, True), (20 * 60, False)])
async def test_what_nobody_got_to_is_done_soon_or_struck_out_with_a_word(
    agent: FakeAgent, tmp_path: Path, later_s: float, *, done: bool
) -> None:
    chat = RecordingChat()
    await _left_unanswered(agent, tmp_path, chat, "/pause")
    agent.asked.clear()
    async with open_bot(agent, tmp_path, chat) as bot:
        bot.stop()
        bot.clock.advance(later_s)
        keeper = Resender(bot.core, open_chat=lambda *_: chat, reopen=chat.reopen)
        keeping = asyncio.create_task(keeper.run())
        await bot.until(lambda: kept(bot) == 0, step_s=0.5)
        keeping.cancel()
    assert ("/v1/agent/pause" in agent.asked) is done
    assert ("too late, and do not do it" in " ".join(chat.last.text.split())) is not done


async def test_what_nobody_got_to_is_struck_out_also_while_the_pc_is_away(agent: FakeAgent, tmp_path: Path) -> None:
    chat = RecordingChat()
    await _left_unanswered(agent, tmp_path, chat, "/pause")
    await agent.stop()
    async with open_bot(agent, tmp_path, chat) as bot:
        bot.clock.advance(20 * 60)
        await bot.until(lambda: kept(bot) == 0, step_s=0.5)
    assert "too late, and do not do it" in " ".join(chat.last.text.split())


async def test_what_a_person_was_told_is_kept_is_done_however_late_the_pc_is_back(agent: FakeAgent, bot: Bot) -> None:
    await agent.stop()
    assert (await bot.say("/pause")).text.startswith("Queued until the PC is back")
    bot.clock.advance(5 * 86_400)
    await agent.restart()
    await bot.until(lambda: kept(bot) == 0, step_s=1)
    assert read(bot).startswith("Pausing the machine")


async def test_an_answer_whose_chat_was_closed_is_given_in_the_next_best(agent: FakeAgent, tmp_path: Path) -> None:
    class Closed(RecordingChat):
        async def post(self, reply: Reply) -> str:
            raise ChatClosedError("Unknown Channel")

    closed, own = Closed(), RecordingChat()
    closed.next_chat = "own"
    async with open_bot(agent, tmp_path, closed) as bot:
        bot.stop()
        keeper = Resender(
            bot.core, open_chat=lambda _, chat_id: {"room": closed, "own": own}[chat_id], reopen=own.reopen
        )
        keeping = asyncio.create_task(keeper.run())
        await dispatch(bot.call("/pause"), bot.core)
        await bot.until(lambda: kept(bot) == 0, step_s=1)
        keeping.cancel()
    assert own.last.text.startswith("Pausing the machine")
