"""/gpu: the machine, without a job."""

import logging

from bot.cards.machine import machine_card
from bot.core.call import Call
from bot.core.chat import Answer
from bot.dispatch.command import Command, Core
from bot.errors import AgentRefusedError
from shared.files import UnusedDatasets
from shared.language import N_

logger = logging.getLogger(__name__)


async def run(_call: Call, core: Core, answer: Answer) -> None:
    """Show the machine, and what of its disk the person may free."""
    info = await core.agent.info()
    await answer.show(machine_card(info, unused=await _unused(core)))


async def _unused(core: Core) -> UnusedDatasets | None:
    """Return the unused datasets; None from an agent that cannot tell, whose machine is shown all the same."""
    try:
        return await core.agent.unused_datasets()
    except AgentRefusedError as error:
        logger.info("unused datasets are not known: %s", error)
        return None


COMMAND = Command(name="gpu", usage="", summary=N_("the machine, its memory"), run=run, topic="machine")
