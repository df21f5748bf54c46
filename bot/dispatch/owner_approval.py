"""A model that needs a yes: who asked is told so, the owner is called to a button, and then it is told."""

from dataclasses import replace

from bot.core.call import Call
from bot.core.chat import Answer
from bot.core.reply import Button, Copy, Reply, Tone, Weight
from bot.dispatch.command import Core
from bot.dispatch.greeting import named
from bot.errors import AgentRefusedError, BadCallError
from bot.kept.approvals import Wish
from bot.words.arguments import split_words
from bot.words.format import clip, one_line
from shared.errors import ErrorCode
from shared.language import N_, _
from shared.people import Role

HERE = N_("/models shows what is here already.")
MOST_DIGITS = 10
ALLOW = "allow:"  # in front of a model, or the number of a wish: /models allow:7
REFUSE = "refuse:"  # in front of the number of a wish
AGAIN = "again:"  # the same: do what was wished for


async def ask_for_yes(call: Call, core: Core, answer: Answer, *, model: str, line: str) -> None:
    """Tell who asked who decides, and call the owner; `line` is what to do after the yes."""
    owner = named(await core.agent.me())
    wish = Wish(model=model, platform=call.platform, chat_id=call.chat_id, person=call.person, line=line)
    number, is_new = core.requests.approvals.ask(wish, now=core.clock.now())
    if call.private:
        await answer.show(_to_pass_on(owner, model, number))
        return
    short = clip(one_line(model), 80)
    asked = _("I asked here.") if is_new else _("I have asked here before.")
    await answer.show(Reply(summary=f"{_why(short, owner)} {asked} {_(HERE)}"))
    if not is_new:
        return
    who = clip(one_line(call.name), 40) or _("Somebody")
    await call.chat.post(
        Reply(
            title=_("{who} wants to teach {model}", who=who, model=short),
            summary=_("May it be used from now on? {owner} or an admin decides.", owner=owner),
            tone=Tone.waiting,
            mention=await _owner_to_call(core, call.platform),
            buttons=(
                Button(label=_("Yes, allow it"), line=f"/models {ALLOW}{number}", weight=Weight.primary),
                Button(label=_("No"), line=f"/models {REFUSE}{number}"),
            ),
        )
    )


def _to_pass_on(owner: str, model: str, number: int) -> Reply:
    """Return what a person does in a chat that the owner does not read."""
    short = clip(one_line(model), 80)
    ask = Copy(intro=_("They do not read along here. Ask them to send me this:"), lines=(f"/models {ALLOW}{model}",))
    again = Button(label=_("Try again"), line=f"/models {AGAIN}{number}", weight=Weight.primary)
    return Reply(summary=f"{_why(short, owner)} {_(HERE)}", copy=(ask,), buttons=(again,))


def _why(short: str, owner: str) -> str:
    return _(
        "{model} comes from Hugging Face and is new here. The owner, {owner}, or an admin has to say yes first.",
        model=short,
        owner=owner,
    )


async def say_yes(call: Call, core: Core, answer: Answer, what: str) -> None:
    """Allow a model on behalf of who says so, which the agent lets the owner and admins do; tell who asked for it."""
    wish = _open_wish(core, what) if what.isdecimal() else None
    model = wish.model if wish is not None else what
    await core.agent.approve(model)
    core.requests.approvals.answer(model)
    answer.take_over(call.message_id)
    short = clip(one_line(model), 80)
    await answer.show(Reply(summary=_("{model} may be used from now on.", model=short)))
    if wish is not None and _is_here(call, wish):
        go_on = Button(label=_("Plan it"), line=f"/models {AGAIN}{what}", weight=Weight.primary)
        await call.chat.post(
            Reply(title=_("You may teach {model}", model=short), mention=wish.person, buttons=(go_on,))
        )


async def say_no(call: Call, core: Core, answer: Answer, what: str) -> None:
    """Turn a wish down, which the owner and admins may; tell who asked for it."""
    if (await core.agent.me()).role not in (Role.owner, Role.admin):
        raise AgentRefusedError(_("Only the owner or an admin decides that."), code=ErrorCode.not_allowed)
    wish = _open_wish(core, what)
    core.requests.approvals.answer(wish.model)
    answer.take_over(call.message_id)
    no = _("{model} is not allowed here. {here}", model=clip(one_line(wish.model), 80), here=_(HERE))
    await answer.show(Reply(summary=no))
    if _is_here(call, wish):
        await call.chat.post(Reply(summary=no, mention=wish.person))


async def do_again(call: Call, core: Core, answer: Answer, what: str) -> None:
    """Do what was wished for, on behalf of who says so now."""
    wish = core.requests.approvals.find(int(what)) if what.isdecimal() and len(what) < MOST_DIGITS else None
    if wish is None:
        raise BadCallError(_("I have lost what that was about. Send the file once more."))
    name, *words = split_words(wish.line.removeprefix("/"))
    command = next(command for command in core.commands if command.name == name)
    await command.run(replace(call, command=name, arguments=tuple(words)), core, answer)


def _open_wish(core: Core, what: str) -> Wish:
    wish = core.requests.approvals.find(int(what)) if what.isdecimal() and len(what) < MOST_DIGITS else None
    if wish is None or wish.answered:
        raise BadCallError(_("That was answered already, or I have lost it. /models allow:NAME says yes to a model."))
    return wish


def _is_here(call: Call, wish: Wish) -> bool:
    return (wish.platform, wish.chat_id) == (call.platform, call.chat_id)


async def _owner_to_call(core: Core, platform: str) -> str | None:
    """Return whom to mention; nobody where the owner has not paired, or that cannot be known."""
    try:
        return await core.agent.owner_on(platform)
    except AgentRefusedError:
        return None
