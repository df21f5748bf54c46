"""All front-ends in one event loop: what one of them meets stops no other."""

import asyncio
import logging
import sys
from collections.abc import Coroutine
from typing import Any

from bot.clock import Clock, backoff_s
from bot.core import Core
from bot.errors import FrontEndError
from bot.front_end import FrontEnd

logger = logging.getLogger(__name__)

NOTHING_LEFT = 2  # exit code: no front-end can serve with these settings


async def serve(
    front_ends: list[FrontEnd],
    core: Core,
    *,
    talking: Coroutine[Any, Any, int] | None,
    talk_decides: bool,
    background: list[Coroutine[Any, Any, None]],
) -> int:
    """Run everything until nothing is left to serve; return the exit code.

    `talking` is the terminal's conversation. Where it decides, its end is the end and its code the code. `background`
    never ends by itself, so if it does, its error is ours.
    """
    services = [asyncio.create_task(service) for service in background]
    connections = {asyncio.create_task(_keep_up(front_end, core)) for front_end in front_ends}
    talk = {asyncio.create_task(talking)} if talking is not None else set()
    try:
        while connections or talk:
            done, _ = await asyncio.wait({*connections, *talk, *services}, return_when=asyncio.FIRST_COMPLETED)
            for service in done.intersection(services):
                service.result()
            codes = [ended.result() for ended in talk & done]
            if codes and (talk_decides or not front_ends):
                return codes[0]
            connections, talk = connections - done, talk - done
        return NOTHING_LEFT
    finally:
        tasks = [*services, *connections, *talk]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _keep_up(front_end: FrontEnd, core: Core) -> None:
    """Run a front-end, beginning again after an error of ours; return when its settings are of no use."""
    clock: Clock = core.clock
    failures = 0
    while True:
        try:
            await front_end.run(core)
        except FrontEndError as error:
            logger.error("%s", error.message)  # noqa: TRY400 -- one line; the cause names the token
            sys.stderr.write(f"{error.message}\n")
            return
        except Exception:
            logger.exception("%s failed; I connect it again", front_end.platform)
        failures += 1
        await clock.sleep(backoff_s(failures))
