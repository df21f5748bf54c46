"""/pair: whoever says the agent's one-time code becomes its owner; the owner gets another code for another platform."""

from bot.core.call import Call
from bot.core.chat import Answer
from bot.core.reply import Copy, Reply, Tone
from bot.dispatch.command import Command, Core
from bot.dispatch.greeting import named
from bot.errors import AgentRefusedError, BadCallError
from bot.words.format import duration
from shared.errors import ErrorCode
from shared.language import N_, _
from shared.people import PairingCode, Role

CODE_LENGTH = 64  # as much of a code as is passed on


async def run(call: Call, core: Core, answer: Answer) -> None:
    """Pair with the code that was said; without one show a code to whoever may see it."""
    if call.arguments:
        await core.agent.pair(" ".join(call.arguments)[:CODE_LENGTH])
        await answer.show(_paired(private=call.private))
        return
    me = await core.agent.me()
    if me.role is not Role.owner:
        owner = (
            _(" This machine belongs to {owner}; to use it, ask them to /allow you.", owner=named(me))
            if me.owned
            else ""
        )
        raise BadCallError(
            _(
                "Say the code with it, as in /pair ABCD-EFGH. It stands where hearth-agent was started.{owner}",
                owner=owner,
            )
        )
    await answer.show(code_card(await _code(core)))


async def _code(core: Core) -> PairingCode:
    """Return the code that holds, where it may be read; else a new one, where one may be made."""
    try:
        pairing = await core.agent.pairing_code()
    except AgentRefusedError as error:
        if error.code is not ErrorCode.not_allowed:
            raise
    else:
        if pairing.code is not None:
            return pairing
    return await core.agent.new_pairing_code()


def code_card(pairing: PairingCode) -> Reply:
    """Return a code and what to do with it."""
    holds = (
        _(" It holds for {duration}.", duration=duration(pairing.expires_in_s))
        if pairing.expires_in_s is not None
        else ""
    )
    intro = _(
        "Say this to me in Discord or Telegram, in a private chat. Who says it first is the owner there.{holds}",
        holds=holds,
    )
    return Reply(title=_("Pair with this machine"), copy=(Copy(intro=intro, lines=(f"/pair {pairing.code}",)),))


def _paired(*, private: bool) -> Reply:
    place = _("In a group, /allow lets people there use it.") if private else _("/allow lets people here use it.")
    who = _("{place} /who shows who may do what.", place=place)
    first = _("Your first model: send a file with /finetune, or try /finetune sample.")
    return Reply(title=_("This machine is yours now"), tone=Tone.good, summary=f"{who}\n{first}")


COMMAND = Command(name="pair", usage="[CODE]", summary=N_("become its owner"), run=run, topic="people")
