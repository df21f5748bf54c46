"""All front-ends in one event loop: what one of them meets stops no other, nor what goes on behind them."""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from bot.core.clock import Clock, held_back_s
from bot.dispatch.command import Core
from bot.dispatch.front_end import FrontEnd
from bot.errors import FrontEndError

logger = logging.getLogger(__name__)

NOTHING_LEFT = 2  # exit code: no front-end can serve with these settings
WELL_S = 60.0  # what ran so long and then failed is begun again soon


async def serve(
    front_ends: list[FrontEnd],
    core: Core,
    *,
    talking: Coroutine[Any, Any, int] | None,
    talk_decides: bool,
    background: dict[str, Callable[[], Awaitable[None]]],
) -> int:
    """Run everything until nothing is left to serve; return the exit code.

    `talking` is the terminal's conversation. Where it decides, its end is the end and its code the code. `background`
    has what never ends by itself, by what the log calls it.
    """
    services = [asyncio.create_task(keep_up(name, run, core.clock)) for name, run in background.items()]
    connections = {asyncio.create_task(_connect(front_end, core)) for front_end in front_ends}
    talk = {asyncio.create_task(_talk(talking))} if talking is not None else set()
    try:
        while connections or talk:
            done, _ = await asyncio.wait({*connections, *talk}, return_when=asyncio.FIRST_COMPLETED)
            codes = [code for ended in talk & done if (code := ended.result()) is not None]
            if codes and (talk_decides or not front_ends):
                return codes[0]
            connections, talk = connections - done, talk - done
        return NOTHING_LEFT
    finally:
        tasks = [*services, *connections, *talk]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def keep_up(name: str, run: Callable[[], Awaitable[None]], clock: Clock) -> None:
    """Run something for ever, beginning again after ever longer pauses. Raise FrontEndError, which no pause mends."""
    failures = 0
    while True:
        began = clock.monotonic()
        try:
            await run()
        except FrontEndError:
            raise
        except Exception:
            logger.exception("%s failed; I begin it again", name)
        failures = 1 if clock.monotonic() - began > WELL_S else failures + 1
        await clock.sleep(held_back_s(failures))


async def _talk(talking: Coroutine[Any, Any, int]) -> int | None:
    """Hold the terminal's conversation; return its code, None where it broke off by a fault of ours."""
    try:
        return await talking
    except Exception:
        logger.exception("the terminal failed")
        sys.stderr.write("The terminal chat broke off: a fault of mine, which bot.log has.\n")
        return None


async def _connect(front_end: FrontEnd, core: Core) -> None:
    """Run a front-end; return when its settings are of no use."""
    try:
        await keep_up(front_end.platform, lambda: front_end.run(core), core.clock)
    except FrontEndError as error:
        logger.error("%s", error.message)  # noqa: TRY400 -- one line; the cause names the token
        sys.stderr.write(f"{error.message}\n")
