"""/allow: the owner lets a person, a role, this chat or this server use the machine."""

from bot.core.call import Call
from bot.core.chat import Answer
from bot.core.reply import Reply
from bot.dispatch.command import Command, Core, always
from bot.dispatch.people_reference import called, choices, read_whom
from shared.language import N_, _
from shared.people import GrantRequest

MAY = {
    "member": N_("start jobs, and stop or pause their own."),
    "admin": N_("also stop anybody's job, pause the machine and say yes to new models."),
}


async def run(call: Call, core: Core, answer: Answer) -> None:
    """Allow whom the call names; without a name show how to name somebody."""
    whom = read_whom(call)
    if not whom.named:
        await answer.show(choices(call, _("Whom do I let use this machine?"), places=whom.role == "member"))
        return
    lines = []
    for named in whom.named:
        granted = await core.agent.allow(
            GrantRequest(platform=call.platform, kind=named.kind, id=named.id, name=named.name, role=whom.role)
        )
        lines.append(_("{who} may use this machine now: {may}", who=called(named), may=_(MAY[granted.role])))
    answer.take_over(call.message_id)
    await answer.show(Reply(summary="\n".join([*lines, _("/who shows everybody.")])))


COMMAND = Command(name="allow", usage="[who]", summary=N_("let them use me"), run=run, keeps=always, topic="people")
