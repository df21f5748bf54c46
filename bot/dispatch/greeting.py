"""The answer to words that are no command, and to a stranger's first ones: what this is, and whom to ask."""

from bot.core.call import Call
from bot.core.chat import Answer
from bot.core.reply import Reply
from bot.dispatch.command import Core
from bot.dispatch.plain_talk import answer_words, changes_a_plan
from bot.errors import AgentRefusedError, AgentUnreachableError
from bot.words.format import one_line
from shared.language import N_, _
from shared.people import TERMINAL, Me, Role

NO_OWNER = N_(
    "This machine has no owner yet. If it is yours, say /pair and the code that “hearth-agent pairing-code” prints on "
    "it, as in /pair ABCD-EFGH."
)


async def greet(call: Call, core: Core, answer: Answer) -> None:
    """Answer words that are no command; a stranger reads whom to ask."""
    welcome = await stranger_welcome(call, core)
    if welcome:
        await answer.show(Reply(title=_("Hello!"), summary="\n".join(welcome)))
    elif call.said and core.talks.of(call) is not None and not changes_a_plan(call, core):
        command = next(command for command in core.commands if command.name == "chat")
        await command.run(call, core, answer)
    else:
        await answer_words(call, core, answer)


async def stranger_welcome(call: Call, core: Core) -> list[str]:
    """Return what a stranger is told in a private chat; nothing for all others, and while the agent is away."""
    if not call.private or call.platform == TERMINAL:  # who sits there holds the key
        return []
    try:
        return welcome(await core.agent.me())
    except (AgentUnreachableError, AgentRefusedError):
        return []


def welcome(me: Me) -> list[str]:
    """Return in lines whom to ask; none for who may use the machine already."""
    if me.role not in (Role.stranger, Role.denied):
        return []
    does = _("I teach language models on a machine at somebody's home.")
    if not me.owned:
        return [does, _(NO_OWNER)]
    owner = named(me)
    if me.role is Role.denied:
        return [does, _("{owner} said that you may not use it. If that is a mistake, ask them.", owner=owner)]
    return [does, _("It belongs to {owner}. Ask them to let you in: they say /allow, which shows how.", owner=owner)]


def named(me: Me) -> str:
    """Return the owner's name, or what stands for it."""
    names = list(dict.fromkeys(one_line(name) for name in me.owner_names if one_line(name)))
    return " / ".join(names) or _("its owner")
