"""/deny: the owner says no to a person, or takes back what a role, this chat or this server was allowed."""

from bot.core.call import Call, Named
from bot.core.chat import Answer
from bot.core.reply import Reply
from bot.dispatch.command import Command, Core, always
from bot.dispatch.people_reference import called, choices, read_whom
from shared.language import N_, _
from shared.people import DenyRequest, GrantKind


async def run(call: Call, core: Core, answer: Answer) -> None:
    """Deny whom the call names; without a name show how to name somebody."""
    whom = read_whom(call)
    if not whom.named:
        await answer.show(choices(call, _("Who may not use this machine any more?")))
        return
    lines = [await _deny(call, core, named) for named in whom.named]
    answer.take_over(call.message_id)
    await answer.show(Reply(summary="\n".join([*lines, _("/who shows everybody.")])))


async def _deny(call: Call, core: Core, named: Named) -> str:
    """Deny a person; of all else, take away what it was allowed. Return what became of it."""
    if named.kind is GrantKind.person:
        await core.agent.deny(DenyRequest(platform=call.platform, id=named.id, name=named.name))
        return _("{who} may not use this machine, wherever they write. /allow takes that back.", who=called(named))
    await core.agent.take_away(call.platform, named.kind, named.id)
    return _("{who} is not allowed for that any more. Who is allowed by name still is.", who=called(named))


COMMAND = Command(name="deny", usage="[who]", summary=N_("take that back"), run=run, keeps=always, topic="people")
