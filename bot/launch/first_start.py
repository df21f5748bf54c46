"""The first start: a machine that nobody owns yet shows whoever sits at it how to become its owner."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bot.commands.pair import code_card
from bot.core.clock import backoff_s
from bot.core.reply import Reply
from bot.dispatch.command import Core
from bot.errors import AgentRefusedError, AgentUnreachableError

logger = logging.getLogger(__name__)

WHERE = (
    "This machine has no owner yet. “hearth-agent pairing-code” on the GPU machine prints its code. Say /pair and the "
    "code to the bot in a private chat."
)

Tell = Callable[[Reply], Awaitable[object]]


async def show_pairing(core: Core, tell: Tell | None) -> None:
    """Tell the terminal the code once the agent answers, or without one log where it is. Never ends."""
    if not await _is_owned(core):
        pairing = await core.agent.pairing_code() if tell is not None else None
        if tell is not None and pairing is not None and pairing.code is not None:
            await tell(code_card(pairing))
        else:
            logger.info(WHERE)
    await asyncio.Event().wait()


async def _is_owned(core: Core) -> bool:
    """Say whether somebody owns the machine; where this bot may not know, nobody needs its help."""
    failures = 0
    while True:
        try:
            return (await core.agent.me()).owned
        except AgentUnreachableError:
            failures += 1
            await core.clock.sleep(backoff_s(failures))
        except AgentRefusedError as error:
            logger.info("whether there is an owner is not known: %s", error)
            return True
