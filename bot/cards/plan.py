"""What was understood of a dataset and what would be done with it: the card before Start. Pure."""

from bot.cards.dataset import FILE_LENGTH, WHOLE_TEXT, counted_rows, left_out, row_button
from bot.cards.question import read_so
from bot.core.blocks import Block, Fields, Items, Note, Words
from bot.core.reply import Button, Copy, Reply, Tone, Weight
from bot.words.format import DASH, clip, clock_time, count, mebibytes, minutes_range, one_line, short, size_range
from bot.words.option_lines import write_line
from bot.words.option_names import TYPED_NAMES
from shared.hyperparameters import Hyperparameters
from shared.inspections import DatasetForm, FindingCode, Inspection, Severity
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
    file_name: str, inspection: Inspection, plan: Plan, *, at: int | None, now: float, machine_paused: bool
) -> Reply:
    """Return what would be learned from what, how long it takes, and Start; `at` is when the job may start."""
    later = f" at:{at}" if at is not None else ""
    notes = [*([_(WHOLE_TEXT)] if inspection.form is DatasetForm.text else []), *plan.notes]
    file = clip(one_line(file_name), FILE_LENGTH)
    return Reply(
        title=_("{file} · {rows} → {name}", file=file, rows=counted_rows(inspection), name=plan.suffix),
        summary="\n".join(
            [
                " · ".join(filter(None, [_("Learns from {model}", model=one_line(plan.model)), _passes(plan)])),
                " · ".join(
                    [
                        minutes_range(plan.minutes.low, plan.minutes.high),
                        _needs(plan),
                        _turn(plan, at=at, now=now, machine_paused=machine_paused),
                    ]
                ),
            ]
        ),
        tone=Tone.trouble if _weighing(inspection) else Tone.plain,
        blocks=(
            *left_out(inspection),
            *([Words(text=_weighing(inspection))] if _weighing(inspection) else []),
            *([Fields(fields=read_so(plan.mapping))] if plan.mapping is not None else []),
            *([Note(text="\n".join(notes))] if notes else []),
        ),
        buttons=(
            Button(label=_("Start"), line=f"/finetune plan:{plan.id}{later}", weight=Weight.primary),
            Button(label=_("Change"), line=f"/finetune change:{plan.id}{later}"),
            *([row_button(inspection)] if inspection.sample else []),
            Button(label=_("Check data"), line=f"/dataset {inspection.id}"),
            *_character_button(inspection, plan, later),
            Button(label=_("Not now"), line=f"/finetune forget:{plan.id}{later}"),
        ),
    )


def _weighing(inspection: Inspection) -> str:
    """Return that something in the data should be looked at first; nothing where all that was found is small."""
    n = sum(finding.severity is not Severity.note for finding in inspection.findings)
    if not n:
        return ""
    return ngettext("! {n} thing in the data to look at first", "! {n} things in the data to look at first", n)


def _passes(plan: Plan) -> str:
    n = plan.settings.n_epochs
    epochs = ngettext("{n} epoch", "{n} epochs", int(n)) if n == int(n) else _("{n} epochs", n=short(n))
    return epochs if plan.preset is Preset.balanced else f"{epochs} ({_(PRESET_NAMES[plan.preset])})"


def _needs(plan: Plan) -> str:
    """Return 2.4 of 20 GiB: what it may take, of what is free."""
    needed, free = mebibytes(plan.memory_mib.high), mebibytes(plan.memory_free_mib)
    unit = free.split()[-1]
    kind = "" if plan.memory_kind == "GPU" else f" {plan.memory_kind}"
    return _("{needed} of {free}", needed=needed.removesuffix(f" {unit}"), free=free) + kind


def _character_button(inspection: Inspection, plan: Plan, later: str) -> list[Button]:
    """Return the way to a model that is somebody, where no row says who answers."""
    if not any(finding.code is FindingCode.base_system_text for finding in inspection.findings):
        return []
    return [Button(label=_("Give it a character"), line=f"/finetune character_of:{plan.id}{later}")]


def character_card(plan: Plan, *, at: int | None = None) -> Reply:
    """Return how the finished model becomes somebody of its own, and the line to type."""
    intro = _("Type this line with words of your own between the quotes:")
    return Reply(
        title=_("Who should it be? · {name}", name=plan.suffix),
        summary=_("Each row will begin with what you write, and so will each talk with the finished model."),
        copy=(Copy(intro=intro, lines=(character_line(plan, at=at),)),),
    )


def character_line(plan: Plan, *, at: int | None = None) -> str:
    """Return the line that asks for this plan again, with an example of who the model is to be."""
    example = Mapping(character=_("You are Ruth, a pirate. You answer in one sentence."))
    return plan_line(plan.model_copy(update={"mapping": example.over(plan.mapping)}), {}, at=at)


def change_card(plan: Plan, *, at: int | None = None) -> Reply:
    """Return what can be changed, each with its value and reason, and the line to type."""
    items, below = [f"name: {plan.suffix}", f"model: {plan.model}"], ["", ""]
    for setting in plan.reasons:
        if setting.name in {"preset", *Hyperparameters.model_fields}:
            items.append(f"{TYPED_NAMES.get(setting.name, setting.name)}: {setting.value}")
            below.append(setting.reason)
    epochs = 5 if plan.settings.n_epochs != 5 else 3
    intro = _("Type this line with what you want changed. Here, for example, the epochs:")
    line = plan_line(plan, {"n_epochs": epochs}, at=at)
    return Reply(
        title=_("What you can change · {name}", name=plan.suffix),
        blocks=(Items(items=tuple(items), below=tuple(below)), _work(plan), *_memory(plan)),
        copy=(Copy(intro=intro, lines=(line,)),),
    )


def _work(plan: Plan) -> Fields:
    """Return what there is to do, and the disk that it takes."""
    way = _("QLoRA, the model in 4 bits") if plan.settings.load_in_4bit else _("LoRA, the model in 16 bits")
    return Fields(
        fields=(
            (_("way"), way),
            (_("rows to learn"), count(plan.train_rows)),
            (_("held out"), count(plan.validation_rows + plan.test_rows)),
            (_("steps"), count(plan.steps)),
            (_("disk"), size_range(plan.disk_mib.low, plan.disk_mib.high)),
            (_("disk free"), mebibytes(plan.disk_free_mib)),
            (_("on"), one_line(plan.device) or DASH),
        )
    )


def _memory(plan: Plan) -> list[Block]:
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
    later = (
        (_("to convert the base model, once"), plan.conversion_memory_mib),
        (_("to prepare the rows"), plan.prepare_memory_mib),
        (_("to write and check the model"), plan.export_memory_mib),
    )
    ram = tuple((name, mebibytes(mib)) for name, mib in later if mib is not None)
    return [
        Fields(
            heading=_("{kind} at the peak", kind=plan.memory_kind),
            fields=tuple((name, mebibytes(mib)) for name, mib in parts),
        ),
        *([Fields(heading=_("RAM before and after"), fields=ram)] if ram else []),
    ]


def forgotten_card(plan: Plan, *, at: int | None = None) -> Reply:
    """Return what is said when a plan was not started."""
    return Reply(
        title=_("Not started · {name}", name=plan.suffix),
        summary=_("Nothing was started. Your file is kept."),
        copy=(Copy(intro=_("To plan it again:"), lines=(plan_line(plan, {}, at=at),)),),
    )


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
    below = [
        " · ".join(
            [
                other.model,
                minutes_range(other.minutes.low, other.minutes.high),
                size_range(other.memory_mib.low, other.memory_mib.high),
            ]
        )
        for other in alternatives
    ]
    return Reply(
        title=clip(_(TOO_SHORT if too_short else DOES_NOT_FIT, file_name=one_line(file_name))),
        tone=Tone.trouble,
        summary=message,
        blocks=(
            Items(
                heading=_("Each of these fits. Tap one to see it whole."),
                items=tuple(_titled(other) for other in alternatives),
                below=tuple(below),
                numbered=True,
            ),
        ),
        buttons=tuple(
            Button(
                label=clip(_titled(other).rpartition("/")[2], BUTTON_WIDTH), line=f"/finetune look:{other.plan}{later}"
            )
            for other in alternatives
        ),
    )


def _titled(other: Alternative) -> str:
    return one_line(other.title)


def _turn(plan: Plan, *, at: int | None, now: float, machine_paused: bool) -> str:
    if machine_paused:
        return _("starts after /resume: the machine is paused")
    if at is not None and at > now:
        return _("starts {time}", time=clock_time(at, now=now))
    if plan.queue_position <= 1:
        return _("starts now")
    wait = minutes_range(plan.queue_wait_minutes, plan.queue_wait_minutes)
    return _("place {queue_position} in the queue, starts in {wait}", queue_position=plan.queue_position, wait=wait)
