"""Front-ends beside each other: what one meets stops no other."""

import asyncio
import itertools

import pytest
from pydantic import SecretStr

from bot import serve as program
from bot.core.call import Attachment
from bot.core.chat import Chat
from bot.dispatch.command import Core
from bot.dispatch.front_end import FrontEnd, FrontEnds
from bot.errors import BadCallError, FrontEndError
from bot.launch.event_loop import NOTHING_LEFT, serve
from bot.settings import Settings
from shared.people import RequestedBy
from tests.bot.harness import Bot


class StubFrontEnd:
    """Meets one error after the other, then serves."""

    def __init__(self, platform: str, *errors: Exception) -> None:
        self.platform = platform
        self.errors = list(errors)
        self.runs = 0

    async def run(self, core: Core) -> None:
        self.runs += 1
        if self.errors:
            raise self.errors.pop(0)
        await asyncio.Event().wait()

    def open_chat(self, chat_id: str) -> Chat | None:
        return None

    async def as_now(self, who: RequestedBy) -> RequestedBy:
        return who

    async def reopen(self, reference: str) -> Attachment:
        raise BadCallError("no")


REFUSED = FrontEndError("TEST_TOKEN is not accepted.", param="TEST_TOKEN")


async def test_nothing_left_to_serve_is_exit_code_two(bot: Bot, capsys: pytest.CaptureFixture[str]) -> None:
    front_ends = [StubFrontEnd("a", REFUSED), StubFrontEnd("b", REFUSED)]
    code = await serve(front_ends, bot.core, talking=None, talk_decides=False, background={})  # type: ignore[arg-type]
    assert code == NOTHING_LEFT
    assert capsys.readouterr().err == "TEST_TOKEN is not accepted.\n" * 2


async def test_a_refused_front_end_and_a_broken_one_do_not_stop_the_others(bot: Bot) -> None:
    refused, broken, well = StubFrontEnd("a", REFUSED), StubFrontEnd("b", *[OSError()] * 9), StubFrontEnd("c")
    serving = asyncio.create_task(
        serve([refused, broken, well], bot.core, talking=None, talk_decides=False, background={})
    )
    await bot.until(lambda: broken.runs == 10, step_s=5)
    assert (refused.runs, well.runs, serving.done()) == (1, 1, False)
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


@pytest.mark.parametrize(("decides", "ends"), [(True, True), (False, False)])
async def test_only_a_person_who_leaves_a_prompt_ends_the_bot(bot: Bot, *, decides: bool, ends: bool) -> None:
    async def talk() -> int:
        return 1

    serving = asyncio.create_task(
        serve([StubFrontEnd("a")], bot.core, talking=talk(), talk_decides=decides, background={})
    )
    done, _ = await asyncio.wait({serving}, timeout=0.1)
    assert bool(done) == ends
    assert not done or serving.result() == 1
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


async def test_an_error_in_the_background_is_logged_and_ends_nothing(
    bot: Bot, caplog: pytest.LogCaptureFixture
) -> None:
    begun: list[float] = []

    async def follow() -> None:
        begun.append(bot.clock.monotonic())
        raise LookupError("a row of last week")

    serving = asyncio.create_task(
        serve([StubFrontEnd("a")], bot.core, talking=None, talk_decides=False, background={"the live cards": follow})
    )
    await bot.until(lambda: len(begun) == 9, step_s=5)
    assert not serving.done()
    pauses = [later - earlier for earlier, later in itertools.pairwise(begun)]
    assert pauses == sorted(pauses)
    assert pauses[-1] <= 605
    assert "the live cards failed" in caplog.text
    assert "a row of last week" in caplog.text
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


async def test_a_terminal_that_breaks_off_does_not_end_the_other_chats(bot: Bot) -> None:
    async def talk() -> int:
        raise LookupError

    serving = asyncio.create_task(
        serve([StubFrontEnd("a")], bot.core, talking=talk(), talk_decides=True, background={})
    )
    done, _ = await asyncio.wait({serving}, timeout=0.1)
    assert not done
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


async def test_a_file_of_a_platform_that_is_not_served_is_refused_in_words() -> None:
    with pytest.raises(BadCallError, match="not connected"):
        await FrontEnds([StubFrontEnd("a")]).reopen("b", "ref")


def test_a_front_end_that_cannot_even_be_made_is_said_and_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    def missing(_settings: Settings, _token: SecretStr) -> FrontEnd:
        raise ModuleNotFoundError("No module named 'discord'")

    well = StubFrontEnd("telegram")
    monkeypatch.setattr(program, "_discord", missing)
    monkeypatch.setattr(program, "_telegram", lambda _settings, _token: well)
    tokens = {"DISCORD_TOKEN": SecretStr("1"), "TELEGRAM_TOKEN": SecretStr("2")}
    assert program._connected(Settings(**tokens)) == [well]  # type: ignore[arg-type]
    assert capsys.readouterr().err.startswith("Discord is not served: I could not set it up (ModuleNotFoundError).")
    assert "No module named" in caplog.text
