"""The form behind Change: the plan as a line of options to alter, and room for another file. It outlives a restart."""

import asyncio
import contextlib

from discord import Interaction, TextStyle
from discord.ui import FileUpload, Label, Modal, TextInput

from bot.cards.plan import character_line, plan_line
from bot.discord_ui.commands import FINETUNE
from bot.discord_ui.inbound import FORM_FILE, FORM_LINE, DiscordRequest, requested_by
from bot.discord_ui.trouble import FAILURES
from bot.dispatch.command import Core
from bot.errors import BadCallError
from bot.words.options import read_options
from shared.errors import HearthError
from shared.language import _

FORM = f"/{FINETUNE}"  # its custom_id: the command that it fills in
PATIENCE_S = 1.5  # a form must be the first answer, within 3 s
LINE_LENGTH = 4000


async def open_form(interaction: Interaction, asked: DiscordRequest, core: Core) -> bool:
    """Show the form, if it is asked for and the agent says in time what the plan is; say whether it was shown."""
    line = await _line(asked, core.on_behalf_of(requested_by(interaction)))
    if line is None:
        return False
    with contextlib.suppress(*FAILURES):
        await interaction.response.send_modal(_form(line))
    return interaction.response.is_done()


async def _line(asked: DiscordRequest, core: Core) -> str | None:
    if asked.command != FINETUNE:
        return None
    with contextlib.suppress(BadCallError):
        options = read_options(asked.arguments, now=core.clock.now())
        if wanted := options.change or options.character_of:
            with contextlib.suppress(HearthError, TimeoutError):
                async with asyncio.timeout(PATIENCE_S):
                    plan = await core.agent.offered_plan(wanted)
                line = (
                    character_line(plan, at=options.at) if options.character_of else plan_line(plan, {}, at=options.at)
                )
                return line.removeprefix(FORM).strip()
    return None


def _form(line: str) -> Modal:
    form = Modal(title=_("Change the plan"), custom_id=FORM)
    text: TextInput[Modal] = TextInput(
        custom_id=FORM_LINE, style=TextStyle.paragraph, default=line[:LINE_LENGTH], max_length=LINE_LENGTH
    )
    file: FileUpload[Modal] = FileUpload(custom_id=FORM_FILE, required=False, min_values=0, max_values=1)
    form.add_item(
        Label(text=_("Options"), description=_("Alter or add: epochs:3 lr:2e-4 rank:16 at:22:00"), component=text)
    )
    form.add_item(
        Label(text=_("Another dataset"), description=_("Only if it should learn from another"), component=file)
    )
    form.stop()  # the library would keep it in memory; what is submitted says itself what it is
    return form
