"""The first start: a machine that nobody owns yet shows whoever sits at it how to become its owner."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bot.clock import backoff_s
from bot.commands.pair import code_card
from bot.core import Core
from bot.errors import AgentRefusedError, AgentUnreachableError
from bot.reply import Reply
from shared.people import PairingCode

logger = logging.getLogger(__name__)

WHERE = (
    "This machine has no owner yet. Its pairing code stands where hearth-agent was started; "
    "/pair in a terminal of hearth-bot shows it, too. Say /pair and the code to the bot in a "
    "private chat."
)

Tell = Callable[[Reply], Awaitable[object]]


async def show_pairing(core: Core, tell: Tell | None) -> None:
    """Tell the terminal the code once the agent answers, or without one log where it is. Never ends."""
    pairing = await _code(core)
    if pairing is not None and tell is not None and pairing.code is not None:
        await tell(code_card(pairing))
    elif pairing is not None:
        logger.info(WHERE)
    await asyncio.Event().wait()


async def _code(core: Core) -> PairingCode | None:
    """Return the code as it stands, or None if there is an owner or this bot may not know."""
    failures = 0
    while True:
        try:
            return None if (await core.agent.me()).owned else await core.agent.pairing_code()
        except AgentUnreachableError:
            failures += 1
            await core.clock.sleep(backoff_s(failures))
        except AgentRefusedError as error:
            logger.info("whether there is an owner is not known: %s", error)
            return None
