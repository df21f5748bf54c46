"""/who: who may do what here, with a button to take each of it back."""

from bot.core.blocks import Items, Words
from bot.core.call import Call
from bot.core.chat import Answer
from bot.core.reply import Button, Reply
from bot.dispatch.command import Command, Core
from bot.dispatch.greeting import named
from bot.errors import BadCallError
from bot.words.format import clip, one_line
from shared.language import N_, _, ngettext
from shared.people import TERMINAL, Action, Grant, GrantKind, Me, Role

TAKE = "take:"  # in front of the grant to take back: /who take:telegram:person:17
LINE_BYTES = 64
BUTTONS = 9
HEADS = {
    Role.owner: N_("Owner: may do everything"),
    Role.admin: N_("Admins: act on anybody's job"),
    Role.member: N_("Members: start jobs, stop their own"),
    Role.denied: N_("Denied"),
}
KINDS = {
    GrantKind.person: N_("{name}"),
    GrantKind.role: N_("whoever has the role {name}"),
    GrantKind.chat: N_("whoever is in {name}"),
    GrantKind.server: N_("whoever is on {name}"),
}
NAMELESS = {
    GrantKind.person: N_("somebody"),
    GrantKind.role: N_("a role"),
    GrantKind.chat: N_("a chat"),
    GrantKind.server: N_("a server"),
}
ROLES = {
    Role.owner: N_("You own this machine and may do everything."),
    Role.admin: N_("You are an admin: you may act on anybody's job, pause the machine and say yes to new models."),
    Role.member: N_("You may use this machine: start jobs, and stop or pause your own."),
}


async def run(call: Call, core: Core, answer: Answer) -> None:
    """List who is allowed or denied; first take back what a button says. Who may not see that reads their own part."""
    if call.arguments[:1] and call.arguments[0].startswith(TAKE):
        await core.agent.take_away(*_grant(call.arguments[0].removeprefix(TAKE)))
        answer.take_over(call.message_id)
    me = await core.agent.me()
    if Action.see_people not in me.may:
        await answer.show(Reply(summary="\n".join(_own_part(me)), private=not call.private))
        return
    people = await core.agent.people()
    here = [grant for grant in people.data if _concerns(grant, call)]
    groups, hidden = _groups(here, call), len(people.data) - len(here)
    notes = [ngettext("and {n} more elsewhere", "and {n} more elsewhere", hidden)] if hidden else []
    if people.approved_models and call.private:
        notes.append(_("New models with a yes: {models}", models=", ".join(map(one_line, people.approved_models))))
    await answer.show(
        Reply(
            title=_("Who may do what"),
            summary="" if groups else _nobody(call),
            blocks=(*groups, *([Words(text="\n".join(notes))] if notes else [])),
            buttons=_buttons(here) if Action.change_people in me.may else (),
        )
    )


def _concerns(grant: Grant, call: Call) -> bool:
    """Say whether a grant counts here; a private chat sees all."""
    if call.private:
        return True
    if grant.platform != call.platform:
        return False
    if grant.kind is GrantKind.chat:
        return grant.id == (call.rights_chat_id or call.chat_id)
    return grant.kind is not GrantKind.server or grant.id == call.server


def _groups(grants: list[Grant], call: Call) -> list[Items]:
    of_role = {role: tuple(_line(grant, call) for grant in grants if grant.role is role) for role in HEADS}
    return [Items(heading=_(HEADS[role]), items=lines) for role, lines in of_role.items() if lines]


def _line(grant: Grant, call: Call) -> str:
    platform = f" ({grant.platform})" if grant.platform != call.platform else ""
    return _(KINDS[grant.kind], name=_name(grant)) + platform


def _buttons(grants: list[Grant]) -> tuple[Button, ...]:
    buttons = [
        Button(
            label=clip(_("Remove {name}", name=_name(grant)), 20),
            line=f"/who {TAKE}{grant.platform}:{grant.kind.value}:{grant.id}",
        )
        for grant in grants
        if grant.role is not Role.owner
    ]
    return tuple(button for button in buttons if len(button.line.encode()) <= LINE_BYTES)[:BUTTONS]


def _name(grant: Grant) -> str:
    return one_line(grant.name) or _(NAMELESS[grant.kind])


def _grant(word: str) -> tuple[str, GrantKind, str]:
    platform, _colon, rest = word.partition(":")
    kind, _colon, subject = rest.partition(":")
    if kind not in list(GrantKind) or not platform or not subject:
        raise BadCallError(_("I do not know this button any more. /who shows what there is now."))
    return platform, GrantKind(kind), subject


def _nobody(call: Call) -> str:
    """Return what is said where nobody was allowed: whoever sits at the machine may do everything all the same."""
    if call.platform == TERMINAL:
        return _("You sit at the machine and may do everything. Nobody else is allowed yet.")
    return _("Nobody is allowed yet.")


def _own_part(me: Me) -> list[str]:
    if me.role in ROLES:
        return [
            _(ROLES[me.role]),
            _("It belongs to {owner}, who may allow others with /allow.", owner=named(me)),
        ]
    if not me.owned:
        return [_("Nobody may use this machine yet: it has no owner. If it is yours, say /pair and its code.")]
    denied = _("You were told no") if me.role is Role.denied else _("You may not use this machine yet")
    return [_("{denied}. It belongs to {owner}: ask them to let you in with /allow.", denied=denied, owner=named(me))]


COMMAND = Command(name="who", usage="", summary=N_("who may do what"), run=run, topic="people")
