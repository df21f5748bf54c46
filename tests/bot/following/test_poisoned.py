"""One card or kept request that cannot be worked on: logged, held back, said where that can be, and alone in it."""

import errno
from pathlib import Path

import pytest

from bot.core.clock import HELD_BACK_S
from bot.core.reply import Reply
from bot.dispatch.dispatch import dispatch
from tests.bot.harness import Bot, RecordingChat, dataset, open_bot
from tests.bot.one_job import card, started
from tests.fakes.agent_server import FakeAgent


class FullDisk(RecordingChat):
    """A chat whose messages with files need room on a disk that has none."""

    def __init__(self) -> None:
        super().__init__()
        self.full = True
        self.tries = 0

    async def post(self, reply: Reply) -> str:
        if reply.files and self.full:
            self.tries += 1
            raise OSError(errno.ENOSPC, "No space left on device")
        return await super().post(reply)


async def test_a_result_that_finds_no_room_is_said_on_the_card_and_stops_no_other(
    agent: FakeAgent, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    chat = FullDisk()
    async with open_bot(agent, tmp_path, chat) as bot:
        first, second = await started(agent, bot), await started(agent, bot)
        agent.succeed(first)
        await bot.until(lambda: "I cannot show more now." in card(bot), step_s=1)
        assert "Traceback" in caplog.text
        assert "No space left" in caplog.text
        agent.step(second, 7)
        await bot.until(lambda: "training 15 %" in chat.messages["m2"].text, step_s=1)
        chat.full = False
        await bot.until(lambda: "✓ toast is ready" in chat.texts[-1], step_s=5)
        assert card(bot).startswith("toast · done")
        assert "cannot show" not in card(bot)


async def test_a_card_that_always_fails_is_tried_ever_later(agent: FakeAgent, tmp_path: Path) -> None:
    chat = FullDisk()
    async with open_bot(agent, tmp_path, chat) as bot:
        agent.succeed(await started(agent, bot))
        began = bot.clock.monotonic()
        await bot.until(lambda: bot.clock.monotonic() - began > 6000, step_s=20)
    assert 8 <= chat.tries <= len(HELD_BACK_S) + 6000 / HELD_BACK_S[-1] + 1


async def test_a_poisoned_card_of_before_stops_no_start(
    agent: FakeAgent, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    chat = RecordingChat()
    async with open_bot(agent, tmp_path, chat) as bot:
        poisoned, well = await started(agent, bot), await started(agent, bot)
    agent.change(poisoned, start_at=2**40)
    for _start in range(2):
        async with open_bot(agent, tmp_path, chat) as bot:
            agent.step(well, 9 + _start, total_steps=100)
            await bot.until(lambda step=9 + _start: f"training {step} %" in chat.messages["m2"].text, step_s=1)  # type: ignore[misc]


async def test_an_event_that_cannot_be_read_is_left_out_of_the_feed(
    agent: FakeAgent, bot: Bot, caplog: pytest.LogCaptureFixture
) -> None:
    job_id = await started(agent, bot)
    agent.step(job_id, 1)
    agent.events[-1] = agent.events[-1].model_copy(update={"level": "of tomorrow"})
    agent.step(job_id, 2)
    await bot.until(lambda: bot.core.follow.cursor == 2, step_s=1)
    assert "is left out" in caplog.text


async def test_a_kept_request_that_breaks_is_answered_and_holds_up_no_other(
    agent: FakeAgent, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    chat = RecordingChat()
    await agent.stop()
    async with open_bot(agent, tmp_path, chat) as bot:
        await bot.say("/finetune name:one", chat.attach(dataset()))
        await bot.say("/finetune sample name:two")
        bot.core.requests._db.write(
            'UPDATE requests SET files = \'[{"name": "x", "size": 1, "reference": 9}]\' WHERE id = 1'
        )
    await agent.restart()

    async def broken(_platform: str, reference: str) -> object:
        raise LookupError(reference)

    chat.reopen = broken  # type: ignore[assignment,method-assign]
    async with open_bot(agent, tmp_path, chat) as bot:
        await bot.until(lambda: not bot.core.requests.unanswered(), step_s=1)
    assert "Something went wrong on my side" in chat.messages["m1"].text
    assert "104 chat rows → " in chat.messages["m2"].text
    assert "LookupError" in caplog.text


async def test_a_kept_request_that_cannot_even_be_read_is_left_alone(
    agent: FakeAgent, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await agent.stop()
    async with open_bot(agent, tmp_path) as bot:
        await bot.say("/finetune sample")
        await bot.say("/finetune sample name:two")
        bot.core.requests._db.write('UPDATE requests SET asker = \'{"of": "tomorrow"}\' WHERE id = 1')
    await agent.restart()
    async with open_bot(agent, tmp_path) as bot:
        await bot.until(lambda: not bot.core.requests.unanswered(), step_s=1)
    assert [request.suffix for request in agent.plan_requests] == ["two"]
    assert "cannot be read; I leave it alone" in caplog.text


async def test_a_request_whose_answer_breaks_is_tried_ever_later(agent: FakeAgent, bot: Bot) -> None:
    shown: list[float] = []

    async def broken(_reply: Reply) -> str:
        shown.append(bot.clock.monotonic())
        raise LookupError

    bot.chat.post = broken  # type: ignore[assignment]
    await dispatch(bot.call("/pause"), bot.core)
    await bot.until(lambda: bool(shown) and bot.clock.monotonic() - shown[0] > 3600, step_s=5)
    assert len(shown) < 2 * (len(HELD_BACK_S) + 3600 / HELD_BACK_S[-1] + 2)
