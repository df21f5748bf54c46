"""The form behind Change: what most people change, each in a field of its own. It outlives a restart.

Every field is empty and says what is so now: what is left empty stays as it is.
"""

import asyncio
import contextlib
from collections.abc import Sequence

from discord import Interaction, SelectOption, TextStyle
from discord.ui import FileUpload, Item, Label, Modal, Select, TextInput

from bot.cards.plan import PRESET_NAMES
from bot.commands.plan_changes import offered
from bot.core.call import Call
from bot.core.chat import Chat
from bot.discord_ui.commands import FINETUNE
from bot.discord_ui.inbound import CHARACTER, FORM_FILE, MORE, DiscordRequest, call_of, place_of
from bot.discord_ui.trouble import FAILURES
from bot.dispatch.command import Core
from bot.words.format import clip, one_line, short
from bot.words.option_names import PRESETS
from bot.words.options import read_options
from shared.errors import HearthError
from shared.language import _
from shared.mapping import CHARACTER_LENGTH
from shared.models import Model
from shared.plans import Plan

FORM = f"/{FINETUNE} look:"  # its custom_id, with the plan behind it: the line that its fields are put into
PATIENCE_S = 1.5  # a form must be the first answer, within 3 s
LINE_LENGTH = 1000
CHOICES = 25
CHOICE_LENGTH = 100


async def open_form(interaction: Interaction, asked: DiscordRequest, core: Core, chat: Chat) -> bool:
    """Show the form, if it is asked for and the agent says in time what the plan is; say whether it was shown."""
    place = place_of(interaction)
    if asked.command != FINETUNE or place is None:
        return False
    form = await _form(core.preferences.applied(call_of(interaction, place, asked, chat)), core)
    if form is None:
        return False
    with contextlib.suppress(*FAILURES):
        await interaction.response.send_modal(form)
    return interaction.response.is_done()


async def _form(call: Call, core: Core) -> Modal | None:
    """Return the form of what is to be changed; None: that is not asked for, or has no form."""
    with contextlib.suppress(HearthError, TimeoutError):
        options = read_options(call.arguments, now=core.clock.now())
        if not options.change or options.changes_a_plan or options.says_when or options.part not in (None, "character"):
            return None
        theirs = core.on_behalf_of(call.requested_by)
        async with asyncio.timeout(PATIENCE_S):
            offer = offered(call, theirs, options.change, options)
            plan = await theirs.agent.offered_plan(offer.plan)
            models = () if options.part else (await theirs.agent.models()).data
        fields = [_character(plan)] if options.part else _fields(plan, models)
        return _modal(f"{FORM}{offer.number or offer.plan}", fields)
    return None


def _fields(plan: Plan, models: Sequence[Model]) -> "list[Label[Modal]]":
    others = [it.id for it in models if it.kind == "base" and it.fits is not False and it.id != plan.model]
    known = [SelectOption(label=it, value=it) for it in others if len(it) <= CHOICE_LENGTH][:CHOICES]
    presets = [
        SelectOption(label=_(PRESET_NAMES[preset]).capitalize(), value=typed)
        for typed, preset in PRESETS.items()
        if preset is not plan.preset
    ]
    as_now = _("As it is: {value}", value="{value}")
    model, preset = one_line(plan.model), _(PRESET_NAMES[plan.preset])
    more = _("name toast, at 22:00, rank 32, lr 1e-4")
    return [
        Label(text=_("Epochs"), component=_text("epochs", as_now.format(value=short(plan.settings.n_epochs)))),
        Label(text=_("How thoroughly"), component=_choice("preset", as_now.format(value=preset), presets)),
        *([Label(text=_("Which model learns"), component=_choice("model", as_now.format(value=model), known))]
          if known else []),
        Label(text=_("Another dataset"), description=_("Only if it should learn from another"), component=_file()),
        Label(text=_("More"), description=_("Whatever else, as you would write it"), component=_text(MORE, more)),
    ]  # fmt: skip


def _character(plan: Plan) -> "Label[Modal]":
    said = plan.mapping.character if plan.mapping is not None else None
    field: TextInput[Modal] = TextInput(
        custom_id=CHARACTER,
        style=TextStyle.paragraph,
        default=said,
        placeholder=_("You are Ruth, a pirate. You answer in one sentence."),
        max_length=CHARACTER_LENGTH,
    )
    about = _("Each row and each talk will begin with it.")
    return Label(text=_("Who should it be?"), description=about, component=field)


def _text(name: str, now: str) -> TextInput[Modal]:
    return TextInput(custom_id=name, required=False, placeholder=clip(now, CHOICE_LENGTH), max_length=LINE_LENGTH)


def _choice(name: str, now: str, choices: list[SelectOption]) -> Select[Modal]:
    return Select(custom_id=name, required=False, placeholder=clip(now, CHOICE_LENGTH), options=choices)


def _file() -> FileUpload[Modal]:
    return FileUpload(custom_id=FORM_FILE, required=False, min_values=0, max_values=1)


def _modal(line: str, fields: Sequence[Item[Modal]]) -> Modal:
    form = Modal(title=_("Change the plan"), custom_id=line)
    for field in fields:
        form.add_item(field)
    form.stop()  # the library would keep it in memory; what is submitted says itself what it is
    return form
