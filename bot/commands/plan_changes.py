"""A plan before it is started, changed by taps and words: what /finetune does with `look:` and `change:`."""

from dataclasses import replace

from bot.agent_api.dataset_upload import inspect
from bot.cards.change import change_card, part_card
from bot.cards.findings import heeded
from bot.cards.plan import does_not_fit_card, plan_card
from bot.core.call import Call
from bot.core.chat import Answer
from bot.dispatch.command import Core
from bot.dispatch.model_reference import find_model
from bot.dispatch.owner_approval import ask_for_yes
from bot.errors import AgentRefusedError, BadCallError
from bot.kept.offers import Offer
from bot.words.format import clip, one_line
from bot.words.option_words import BESIDE
from bot.words.options import Options
from shared.errors import ErrorCode
from shared.files import FileObject
from shared.hyperparameters import PreferenceHyperparameters
from shared.inspections import Inspection
from shared.language import _
from shared.mapping import Mapping
from shared.plans import Plan


async def change_plan(call: Call, core: Core, answer: Answer, options: Options) -> None:
    """Show a plan, with what was said changed; in the message whose button was pressed, if one was."""
    unread = [word for word in options.words if not BESIDE.fullmatch(word.lower().strip(".,!?"))]
    if unread:
        raise BadCallError(_("I cannot read “{word}”. Options look like epochs:3.", word=clip(one_line(unread[0]), 40)))
    ref = options.look or options.change or ""
    async with core.offers.turn(ref):
        offer = offered(call, core, ref, options)
        plan = await core.agent.offered_plan(offer.plan)
        offer.refuse_unless_mine()
        answer.take_over(call.message_id)
        options = replace(options, model=await find_model(core.agent, options.model))
        offer = replace(offer, at=options.at if options.says_when else offer.at)
        if options.changes_a_plan:
            changed = await _planned(call, core, answer, options, offer, plan)
            if changed is None:
                return
            plan = changed
        core.offers.becomes(offer, plan.id, at=offer.at, now=core.clock.now())
        await _show(call, core, answer, options, replace(offer, plan=plan.id), plan)


async def as_the_plan(call: Call, core: Core, options: Options) -> Options:
    """Return what a plan was asked with, and what is said now over it, to plan the same of another file.

    How the file before was read is no matter of this one, and neither is a name that was made of that file's.
    """
    offer = offered(call, core, options.look or options.change or "", options)
    plan = await core.agent.offered_plan(offer.plan)
    offer.refuse_unless_mine()
    named_after = (await core.agent.file(plan.training_file)).filename.lower().startswith(plan.suffix)
    character = plan.mapping.character if plan.mapping is not None else None
    wanted = options.over(plan.model_copy(update={"mapping": Mapping(character=character) if character else None}))
    given = {name: value for name, value in wanted.method.hyperparameters.model_dump().items() if value != "auto"}
    return Options(
        model=wanted.model,
        method_type=wanted.method.type,
        preset=wanted.preset,
        name=options.name or (None if named_after else plan.suffix),
        seed=wanted.seed,
        mapping=wanted.mapping,
        at=options.at if options.says_when else offer.at,
        hyperparameters=PreferenceHyperparameters.model_validate(given),
        words=options.words,
    )


def offered(call: Call, core: Core, ref: str, options: Options) -> Offer:
    """Return the plan that a button names, by its number or by its id. Raises BadCallError if it is closed."""
    if ref.isdecimal():
        return core.offers.find(call, ref)
    number = core.offers.make(call, ref, at=options.at, now=core.clock.now())
    return Offer(number=int(number) if number.isdecimal() else 0, plan=ref, at=options.at)


async def _planned(call: Call, core: Core, answer: Answer, options: Options, offer: Offer, plan: Plan) -> Plan | None:
    """Return the plan with what was said; None: it is refused, and that was shown."""
    try:
        return await core.agent.plan(options.over(plan))
    except AgentRefusedError as error:
        if error.code is ErrorCode.model_needs_approval:
            words = " ".join([f"/finetune look:{_ref(offer)}", *(it for it in call.arguments if _is_change(it))])
            await ask_for_yes(call, core, answer, model=options.model or plan.model, line=words)
            return None
        if not error.alternatives:
            raise
        too_short = error.code is ErrorCode.setting_invalid
        await answer.show(
            does_not_fit_card(
                plan.suffix, error.message, error.alternatives, at=offer.at, too_short=too_short, back=_ref(offer)
            )
        )
        return None


async def _show(call: Call, core: Core, answer: Answer, options: Options, offer: Offer, plan: Plan) -> None:
    if options.part is not None:
        models = (await core.agent.models()).data if options.part == "model" else []
        page = part_card(plan, _ref(offer), options.part, models, private=call.private)
        if page is None:
            raise BadCallError(_("There is nothing called “{part}” to change.", part=clip(one_line(options.part), 30)))
        await answer.show(page)
    elif options.change:
        paused = (await core.agent.info()).paused
        now = core.clock.now()
        await answer.show(
            change_card(plan, _ref(offer), at=offer.at, now=now, machine_paused=paused, private=call.private)
        )
    else:
        file = await core.agent.file(plan.training_file)
        inspection = await inspect(core.agent, file, model=plan.model, mapping=plan.mapping)
        inspection = heeded(inspection, core.ignored.of(call, file.sha256))
        await show_plan(core, answer, file, inspection, plan, _ref(offer), at=offer.at)


async def show_plan(
    core: Core, answer: Answer, file: FileObject, inspection: Inspection, plan: Plan, ref: str, *, at: int | None
) -> None:
    """Show the card of a plan; `ref` is how its buttons name it."""
    paused = (await core.agent.info()).paused
    now = core.clock.now()
    await answer.show(plan_card(file.filename, inspection, plan, ref, at=at, now=now, machine_paused=paused))


def _ref(offer: Offer) -> str:
    return str(offer.number) if offer.number else offer.plan


def _is_change(word: str) -> bool:
    return not word.lower().startswith(("look:", "change:", "part:"))
