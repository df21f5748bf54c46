"""/gpu: the machine, without a job."""

from bot.call import Call
from bot.cards.machine import machine_card
from bot.chat import Answer
from bot.core import Command, Core
from shared.language import N_


async def run(_call: Call, core: Core, answer: Answer) -> None:
    """Show the machine."""
    await answer.show(machine_card(await core.agent.info()))


COMMAND = Command(name="gpu", usage="", summary=N_("the machine, its memory"), run=run)
