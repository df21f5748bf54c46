"""What was understood of a dataset and what would be done with it: the card before Start. Pure."""

from bot.cards.dataset import findings_button, notes, row_button, sample_row, understood
from bot.cards.question import read_so
from bot.core.reply import Button, Copy, Reply
from bot.words.format import (
    DASH,
    clip,
    clock_time,
    count,
    flow,
    mebibytes,
    minutes_range,
    one_line,
    short,
    size_range,
)
from bot.words.option_lines import write_line
from bot.words.option_names import TYPED_NAMES
from shared.hyperparameters import Hyperparameters
from shared.inspections import FindingCode, Inspection
from shared.language import N_, _, ngettext
from shared.mapping import Mapping
from shared.plans import Alternative, Plan, Preset

BUTTON_WIDTH = 20
PRESET_NAMES = {
    Preset.quick_look: N_("quick look"),
    Preset.balanced: N_("balanced"),
    Preset.thorough: N_("thorough"),
}

DOES_NOT_FIT, TOO_SHORT = N_("Does not fit · {file_name}"), N_("Too short · {file_name}")


def plan_card(
    file_name: str,
    inspection: Inspection,
    plan: Plan,
    *,
    at: int | None,
    now: float,
    with_row: bool,
    machine_paused: bool,
) -> Reply:
    """Return the whole card with Start, Change and Cancel; `at` is when the job may start.

    `with_row`: show a row of the data at once, rather than a button for it.
    """
    later = f" at:{at}" if at is not None else ""
    blocks = [
        [clip(_("Ready to start · {file_name}", file_name=one_line(file_name)))],
        [*understood(inspection), *(read_so(plan.mapping) if plan.mapping is not None else [])],
        sample_row(inspection.sample) if inspection.sample and with_row else [],
        [*_plan(plan), *flow(_turn(plan, at=at, now=now, machine_paused=machine_paused), rest="  ")],
        notes(plan.notes),
    ]
    return Reply(
        text="\n\n".join("\n".join(block) for block in blocks if block),
        buttons=(
            Button(label=_("Start"), line=f"/finetune plan:{plan.id}{later}"),
            Button(label=_("Change"), line=f"/finetune change:{plan.id}{later}"),
            Button(label=_("Cancel"), line=f"/finetune forget:{plan.id}{later}"),
            *([row_button(inspection)] if inspection.sample and not with_row else []),
            *_character_button(inspection, plan, later),
            *findings_button(inspection),
        ),
    )


def _character_button(inspection: Inspection, plan: Plan, later: str) -> list[Button]:
    """Return the way to a model that is somebody, where no row says who answers."""
    if not any(finding.code is FindingCode.base_system_text for finding in inspection.findings):
        return []
    return [Button(label=_("Give it a character"), line=f"/finetune character_of:{plan.id}{later}")]


def character_card(plan: Plan, *, at: int | None = None) -> Reply:
    """Return how the finished model becomes somebody of its own, and the line to type."""
    title = clip(_("Who should it be? · {name}", name=plan.suffix))
    what = flow(_("Each row will begin with what you write, and so will each talk with the finished model."))
    intro = _("Type this line with words of your own between the quotes:")
    return Reply(text="\n".join([title, *what]), copy=(Copy(intro=intro, lines=(character_line(plan, at=at),)),))


def character_line(plan: Plan, *, at: int | None = None) -> str:
    """Return the line that asks for this plan again, with an example of who the model is to be."""
    example = Mapping(character=_("You are Ruth, a pirate. You answer in one sentence."))
    return plan_line(plan.model_copy(update={"mapping": example.over(plan.mapping)}), {}, at=at)


def change_card(plan: Plan, *, at: int | None = None) -> Reply:
    """Return what can be changed, each with its value and reason, and the line to type."""
    lines = [clip(_("What you can change · {name}", name=plan.suffix)), ""]
    lines += flow(f"name: {plan.suffix}", rest="  ") + flow(f"model: {plan.model}", rest="  ")
    for setting in plan.reasons:
        if setting.name in {"preset", *Hyperparameters.model_fields}:
            lines += flow(f"{TYPED_NAMES.get(setting.name, setting.name)}: {setting.value}", rest="  ")
            lines += flow(setting.reason, first="  ")
    lines += _memory(plan)
    epochs = 5 if plan.settings.n_epochs != 5 else 3
    intro = _("Type this line with what you want changed. Here, for example, the epochs:")
    line = plan_line(plan, {"n_epochs": epochs}, at=at)
    return Reply(text="\n".join(lines), copy=(Copy(intro=intro, lines=(line,)),))


def _memory(plan: Plan) -> list[str]:
    """Return what the memory is made of, and what the end takes."""
    if plan.memory is None:
        return []
    it = plan.memory
    parts = (
        (_("the model"), it.weights),
        (_("the add-on, its optimizer"), it.lora + it.gradients + it.optimizer),
        (_("a batch on its way"), it.activations + it.logits),
        (_("libraries, gaps"), it.fragmentation + it.runtime),
    )
    lines = ["", *flow(_("{kind} at the peak:", kind=plan.memory_kind))]
    lines += [line for name, mib in parts for line in flow(f"{name}: {mebibytes(mib)}", first="  ", rest="    ")]
    if plan.conversion_memory_mib is not None:
        once = _("To convert the base model, once: {ram} of RAM", ram=mebibytes(plan.conversion_memory_mib))
        lines += flow(once, rest="  ")
    if plan.prepare_memory_mib is not None:
        begin = _("To prepare the rows: {ram} of RAM", ram=mebibytes(plan.prepare_memory_mib))
        lines += flow(begin, rest="  ")
    if plan.export_memory_mib is not None:
        end = _("To write and check the model: {ram} of RAM", ram=mebibytes(plan.export_memory_mib))
        lines += flow(end, rest="  ")
    return lines


def forgotten_card(plan: Plan, *, at: int | None = None) -> Reply:
    """Return what is said when a plan was not started."""
    text = "\n".join([clip(_("Not started · {name}", name=plan.suffix)), _("Nothing was started. Your file is kept.")])
    return Reply(text=text, copy=(Copy(intro=_("To plan it again:"), lines=(plan_line(plan, {}, at=at),)),))


def plan_line(plan: Plan, change: dict[str, object], *, at: int | None = None) -> str:
    """Return the line that asks for this plan again, with some settings changed."""
    return write_line(
        plan.training_file, mapping=plan.mapping, model=plan.model, name=plan.suffix, method=plan.method,
        seed=plan.seed, change=change, at=at, preset=plan.preset,
    )  # fmt: skip


def does_not_fit_card(
    file_name: str, message: str, alternatives: tuple[Alternative, ...], *, at: int | None, too_short: bool = False
) -> Reply:
    """Return why a plan does not fit and what would, each a button that shows the whole plan.

    `too_short`: it is not the machine that forbids it, but a max_length that cuts the answers away.
    """
    later = f" at:{at}" if at is not None else ""
    blocks = [[clip(_(TOO_SHORT if too_short else DOES_NOT_FIT, file_name=one_line(file_name)))], flow(message)]
    for number, other in enumerate(alternatives, 1):
        blocks.append(
            [
                *flow(f"{number}. {_titled(other)}", rest="   "),
                *flow(_("Learns from: {model}", model=other.model), first="   ", rest="     "),
                "   " + _("Time: {time}", time=minutes_range(other.minutes.low, other.minutes.high)),
                "   " + _("Memory: {needed}", needed=size_range(other.memory_mib.low, other.memory_mib.high)),
            ]
        )
    blocks += [flow(_("Each of these fits. Tap one to see it whole."))]
    return Reply(
        text="\n\n".join("\n".join(block) for block in blocks),
        buttons=tuple(
            Button(
                label=clip(_titled(other).rpartition("/")[2], BUTTON_WIDTH), line=f"/finetune look:{other.plan}{later}"
            )
            for other in alternatives
        ),
    )


def _titled(other: Alternative) -> str:
    return one_line(other.title)


def _plan(plan: Plan) -> list[str]:
    settings = plan.settings
    lines = [
        _("The plan"),
        *flow(_("New model: {name}", name=plan.suffix), rest="  "),
        *flow(_("Learns from: {model}", model=plan.model), rest="  "),
        *_preset(plan),
    ]
    if settings.load_in_4bit:
        lines += flow(_("Way: QLoRA, a small add-on of rank {rank} on the model in 4 bits", rank=settings.r), rest="  ")
    else:
        lines += flow(_("Way: LoRA, a small add-on of rank {rank} on the model in 16 bits", rank=settings.r), rest="  ")
    held_out = plan.validation_rows + plan.test_rows
    lines += [
        _(
            "Rows: {train_rows} to learn, {held_out} held out",
            train_rows=count(plan.train_rows),
            held_out=count(held_out),
        )
    ]
    lines += [_("Epochs: {n_epochs} (times through the rows)", n_epochs=short(settings.n_epochs))]
    lines += [
        ngettext(
            "Steps: {steps}, of {n} row each",
            "Steps: {steps}, of {n} rows each",
            settings.batch_size,
            steps=count(plan.steps),
        )
    ]
    lines += [_("Time: {time}", time=minutes_range(plan.minutes.low, plan.minutes.high))]
    lines += flow(
        _(
            "Memory: {needed} of {free} free {kind}",
            needed=size_range(plan.memory_mib.low, plan.memory_mib.high),
            free=mebibytes(plan.memory_free_mib),
            kind=plan.memory_kind,
        ),
        rest="  ",
    )
    lines += flow(
        _(
            "Disk: {needed} of {free} free",
            needed=size_range(plan.disk_mib.low, plan.disk_mib.high),
            free=mebibytes(plan.disk_free_mib),
        ),
        rest="  ",
    )
    return [*lines, *flow(_("On: {device}", device=one_line(plan.device) or DASH), rest="  ")]


def _preset(plan: Plan) -> list[str]:
    if plan.preset is Preset.balanced:
        return []
    return [_("Thoroughness: {preset}", preset=_(PRESET_NAMES[plan.preset]))]


def _turn(plan: Plan, *, at: int | None, now: float, machine_paused: bool) -> str:
    if machine_paused:
        return _("Starts: not until /resume, the machine is paused")
    if at is not None and at > now:
        return _("Starts: {time}", time=clock_time(at, now=now))
    if plan.queue_position <= 1:
        return _("Starts: at once")
    wait = minutes_range(plan.queue_wait_minutes, plan.queue_wait_minutes)
    return _("Starts: place {queue_position} in the queue, in {wait}", queue_position=plan.queue_position, wait=wait)
