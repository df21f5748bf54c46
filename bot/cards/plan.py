"""What was understood of a dataset and what would be done with it: the card before Start. Pure."""

from bot.cards.dataset import FILE_LENGTH, WHOLE_TEXT, counted_rows, left_out, row_button
from bot.cards.question import read_so
from bot.core.blocks import Fields, Items, Note, Words
from bot.core.reply import Button, Reply, Tone, Weight
from bot.words.format import clip, clock_time, mebibytes, minutes_range, one_line, short, size_range
from shared.inspections import DatasetForm, FindingCode, Inspection, Severity
from shared.language import N_, _, ngettext
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
    ref: str,
    *,
    at: int | None,
    now: float,
    machine_paused: bool,
) -> Reply:
    """Return what would be learned from what, how long it takes, and Start.

    `ref` is how buttons name the plan, `at` when its job may start.
    """
    told = bool(plan.methods)  # by agents that know more than one way to learn
    notes = [*([_(WHOLE_TEXT)] if inspection.form is DatasetForm.text and not told else []), *plan.notes]
    learned = plan.train_rows + plan.validation_rows + plan.test_rows
    file = clip(one_line(file_name), FILE_LENGTH)
    return Reply(
        title=_(
            "{file} · {rows} → {name}", file=file, rows=counted_rows(inspection, learned=learned), name=plan.suffix
        ),
        summary=plan_lines(plan, at=at, now=now, machine_paused=machine_paused),
        tone=Tone.trouble if _weighing(inspection) else Tone.plain,
        blocks=(
            *left_out(inspection),
            *([Words(text=_weighing(inspection))] if _weighing(inspection) else []),
            *([Fields(fields=read_so(plan.mapping))] if plan.mapping is not None else []),
            *([Note(text="\n".join(notes))] if notes else []),
        ),
        buttons=(
            Button(label=_("Start"), line=start_line(plan, at), weight=Weight.primary),
            Button(label=_("Change"), line=f"/finetune change:{ref}"),
            *([row_button(inspection)] if inspection.sample else []),
            Button(label=_("Check data"), line=f"/dataset {inspection.id}"),
            *_character_button(inspection, ref),
            *([Button(label=_("Method"), line=f"/finetune change:{ref} part:method")] if len(plan.methods) > 1 else []),
            Button(label=_("Not now"), line=f"/finetune forget:{ref}"),
        ),
    )


def plan_lines(plan: Plan, *, at: int | None, now: float, machine_paused: bool) -> str:
    """Return in two lines what learns, how often, how long it takes, what it needs and when it starts."""
    time = minutes_range(plan.minutes.low, plan.minutes.high)
    turn = _turn(plan, at=at, now=now, machine_paused=machine_paused)
    learns = " · ".join([_("Learns from {model}", model=one_line(plan.model)), _passes(plan)])
    return "\n".join([learns, *way_in_words(plan), " · ".join([time, _needs(plan), turn])])


def way_in_words(plan: Plan) -> list[str]:
    """Return how it learns, where that is not from the answers of the rows alone."""
    return [
        f"{one_line(it.title).capitalize()} ({it.type})"
        for it in plan.methods
        if it.type == plan.method.type != "supervised"
    ]


def start_line(plan: Plan, at: int | None) -> str:
    """Return the line that starts a plan, the one that is shown and no other."""
    return f"/finetune plan:{plan.id}{_later(at)}"


def _later(at: int | None) -> str:
    return f" at:{at}" if at is not None else ""


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


def _character_button(inspection: Inspection, ref: str) -> list[Button]:
    """Return the way to a model that is somebody, where no row says who answers."""
    if not any(finding.code is FindingCode.base_system_text for finding in inspection.findings):
        return []
    return [Button(label=_("Give it a character"), line=f"/finetune change:{ref} part:character")]


def forgotten_card(plan: Plan, *, at: int | None = None) -> Reply:
    """Return what is said when a plan was not started."""
    return Reply(
        title=_("Not started · {name}", name=plan.suffix),
        summary=_("Nothing was started. Your file is kept."),
        buttons=(Button(label=_("Show it again"), line=f"/finetune look:{plan.id}{_later(at)}"),),
    )


def does_not_fit_card(
    name: str,
    message: str,
    alternatives: tuple[Alternative, ...],
    *,
    at: int | None,
    too_short: bool = False,
    back: str | None = None,
) -> Reply:
    """Return why a plan does not fit and what would, each a button that shows the whole plan.

    `too_short`: it is not the machine that forbids it, but a max_length that cuts the answers away. `back`: how a
    button names the plan that would have been changed.
    """
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
        title=clip(_(TOO_SHORT if too_short else DOES_NOT_FIT, file_name=one_line(name))),
        tone=Tone.trouble,
        refusal=True,
        summary=message,
        blocks=(
            Items(
                heading=_("Each of these fits. Tap one to see it whole."),
                items=tuple(_titled(other) for other in alternatives),
                below=tuple(below),
                numbered=True,
            ),
        ),
        buttons=(
            *(
                Button(
                    label=clip(_titled(other).rpartition("/")[2], BUTTON_WIDTH),
                    line=f"/finetune look:{other.plan}{_later(at)}",
                )
                for other in alternatives
            ),
            *([Button(label=_("Back"), line=f"/finetune change:{back}")] if back is not None else []),
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
