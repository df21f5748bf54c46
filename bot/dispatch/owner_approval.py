"""A model that needs a yes: who asked is told so, the owner is called to a button, and then it is told."""

from bot.core.call import Call
from bot.core.chat import Answer
from bot.core.reply import Button, Copy, Reply, Tone, Weight
from bot.dispatch.command import Core
from bot.dispatch.greeting import named
from bot.errors import AgentRefusedError, BadCallError
from bot.kept.approvals import Wish
from bot.words.format import clip, one_line
from shared.language import N_, _

HERE = N_("/models shows what is here already.")
ALLOW = "allow:"  # in front of a model, or the number of a wish: /models allow:7


async def ask_for_yes(call: Call, core: Core, answer: Answer, *, model: str, line: str) -> None:
    """Tell who asked who decides, and call the owner; `line` is what to send again after the yes."""
    owner = named(await core.agent.me())
    if call.private:
        await answer.show(_to_pass_on(owner, model, line))
        return
    wish = Wish(model=model, platform=call.platform, chat_id=call.chat_id, person=call.person, line=line)
    number = core.requests.approvals.ask(wish, now=core.clock.now())
    short = clip(one_line(model), 80)
    asked = _("I asked here.") if number is not None else _("I have asked here before.")
    await answer.show(Reply(summary=f"{_why(short, owner)} {asked} {_(HERE)}"))
    if number is None:
        return
    who = clip(one_line(call.name), 40) or _("Somebody")
    await call.chat.post(
        Reply(
            title=_("{who} wants to teach {model}", who=who, model=short),
            summary=_("May it be used from now on? {owner} or an admin decides.", owner=owner),
            tone=Tone.waiting,
            mention=await _owner_to_call(core, call.platform),
            buttons=(Button(label=_("Yes, allow it"), line=f"/models {ALLOW}{number}", weight=Weight.primary),),
        )
    )


def _to_pass_on(owner: str, model: str, line: str) -> Reply:
    """Return what a person does in a chat that the owner does not read."""
    short = clip(one_line(model), 80)
    ask = Copy(intro=_("They do not read along here. Ask them to send me this:"), lines=(f"/models {ALLOW}{model}",))
    again = Copy(intro=_("Then send me yours once more:"), lines=(line,))
    return Reply(summary=f"{_why(short, owner)} {_(HERE)}", copy=(ask, again))


def _why(short: str, owner: str) -> str:
    return _(
        "{model} comes from Hugging Face and is new here. The owner, {owner}, or an admin has to say yes first.",
        model=short,
        owner=owner,
    )


async def say_yes(call: Call, core: Core, answer: Answer, what: str) -> None:
    """Allow a model on behalf of who says so, which the agent lets the owner and admins do; tell who asked for it."""
    wish = core.requests.approvals.find(int(what)) if what.isdecimal() and len(what) < 10 else None
    if wish is None and what.isdecimal():
        raise BadCallError(_("That was answered already, or I have lost it. /models allow:NAME says yes to a model."))
    model = wish.model if wish is not None else what
    await core.agent.approve(model)
    core.requests.approvals.forget(model)
    answer.take_over(call.message_id)
    short = clip(one_line(model), 80)
    await answer.show(Reply(summary=_("{model} may be used from now on.", model=short)))
    if wish is not None and (wish.platform, wish.chat_id) == (call.platform, call.chat_id):
        again = Copy(intro=_("Send it once more, it works now:"), lines=(wish.line,))
        await call.chat.post(Reply(title=_("You may teach {model}", model=short), mention=wish.person, copy=(again,)))


async def _owner_to_call(core: Core, platform: str) -> str | None:
    """Return whom to mention; nobody where the owner has not paired, or that cannot be known."""
    try:
        return await core.agent.owner_on(platform)
    except AgentRefusedError:
        return None
