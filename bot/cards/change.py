"""A plan being changed: a panel of taps that turns into the next one in place, and one page behind it a part. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from bot.cards.ladders import LADDERS, nearest_on
from bot.cards.method import method_page
from bot.cards.plan import PRESET_NAMES, plan_lines, start_line
from bot.core.blocks import Block, Fields, Items, Note, Words
from bot.core.reply import Button, Reply, Weight
from bot.words.arguments import quoted
from bot.words.format import DASH, clip, count, mebibytes, one_line, short, size_range
from bot.words.option_limits import describe_setting
from bot.words.option_names import SHORT_NAMES, TYPED_NAMES, TYPED_PRESETS, written
from shared.hyperparameters import Precision, PreferenceHyperparameters
from shared.language import N_, _, ngettext
from shared.models import Model
from shared.plans import Plan

LABEL = 20
MOST_EPOCHS = 50
WAYS: dict[Precision, str] = {
    "nf4": N_("QLoRA, the model in 4 bits"),
    "int8": N_("LoRA, the model in 8 bits"),
    "original": N_("LoRA, the model in 16 bits"),
}
MODELS_SHOWN = 8
LINE_BYTES = 64
TIMES = (  # as they are typed, and what the button says
    ("now", N_("Now")),
    ("+1h", N_("In 1 hour")),
    ("+3h", N_("In 3 hours")),
    ("22:00", N_("At 22:00")),
    ("7:30", N_("At 7:30")),
)
CHARACTERS = (
    (N_("A pirate"), N_("You are Ruth, a pirate.")),
    (N_("A kind teacher"), N_("You are a kind teacher.")),
    (N_("Short answers"), N_("You answer in one line.")),
)


def change_card(plan: Plan, ref: str, *, at: int | None, now: float, machine_paused: bool, private: bool) -> Reply:
    """Return what a tap changes, with what the plan is now; `ref` is how buttons name the plan."""
    tap = _("Tap what to change, or write it, like: epochs 5, name toast, at 22:00")
    among_others = _("Tap what to change, or answer this message, like: epochs 5, name toast, at 22:00")
    return Reply(
        title=_("Change · {name}", name=plan.suffix),
        summary=plan_lines(plan, at=at, now=now, machine_paused=machine_paused),
        blocks=(
            *([Note(text="\n".join(plan.notes))] if plan.notes else []),
            Note(text=tap if private else among_others),
        ),
        buttons=(
            *(
                Button(label=_(name).capitalize(), line=_line(ref, f"preset:{TYPED_PRESETS[preset]}"))
                for preset, name in PRESET_NAMES.items()
                if preset is not plan.preset
            ),
            *(_epochs(ref, n) for n in _other_epochs(plan.settings.n_epochs)),
            _part(ref, _("Another model"), "model"),
            *([_part(ref, _("Method"), "method")] if len(plan.methods) > 1 else []),
            _part(ref, _("When"), "at"),
            _part(ref, _("Name"), "name"),
            _part(ref, _("Character"), "character"),
            _part(ref, _("Advanced"), "advanced"),
            Button(label=_("Back"), line=f"/finetune look:{ref}"),
            Button(label=_("Start"), line=start_line(plan, at), weight=Weight.primary),
        ),
    )


def part_card(plan: Plan, ref: str, part: str, models: Sequence[Model] = (), *, private: bool) -> Reply | None:
    """Return the page of one part; None: there is no such part. Among others it says how what is written is heard."""
    page = _page(plan, ref, part, models)
    if page is None or private or part in LADDERS or part == "advanced":
        return page
    return replace(page, blocks=(*page.blocks, Note(text=_("Here I read it if you answer this message with it."))))


def _page(plan: Plan, ref: str, part: str, models: Sequence[Model]) -> Reply | None:
    name = SHORT_NAMES.get(part, part)
    pages = {"at": _when, "name": _name, "character": _character, "advanced": _advanced}
    if part == "model":
        return _models(plan, ref, models)
    if part == "method":
        return method_page(plan, ref, back=_back(ref))
    if part in pages:
        return pages[part](plan, ref)
    return _setting(plan, ref, name) if name in LADDERS else None


def _models(plan: Plan, ref: str, models: Sequence[Model]) -> Reply:
    """Return the models that could learn instead, those that fit first."""
    others = [it for it in models if it.kind == "base" and it.id != plan.model and it.fits is not False and it.here]
    others += [it for it in models if it.kind == "base" and it.id != plan.model and it.fits and not it.here]
    shown = [it for it in others if len(_line(ref, f"model:{it.id}").encode()) <= LINE_BYTES][:MODELS_SHOWN]
    download = _("needs the owner's yes, then a download")
    return Reply(
        title=_("Which model learns? · {name}", name=plan.suffix),
        summary=_("At the moment: {model}", model=one_line(plan.model)),
        blocks=(
            *([Items(
                items=tuple(one_line(it.id) for it in shown),
                below=tuple(", ".join(filter(None, [mebibytes(it.memory_mib), "" if it.here else download]))
                            for it in shown),
                numbered=True,
            )] if shown else [Words(text=_("No other model that fits is here."))]),
            Note(text=_("Or write it: model and a name from Hugging Face.")),
        ),
        buttons=(
            *(
                Button(label=clip(one_line(it.id).rpartition("/")[2], LABEL), line=_line(ref, f"model:{it.id}"))
                for it in shown
            ),
            _back(ref),
        ),
    )  # fmt: skip


def _when(plan: Plan, ref: str) -> Reply:
    return Reply(
        title=_("When may it start? · {name}", name=plan.suffix),
        summary=_("Its turn in the queue comes no sooner."),
        blocks=(Note(text=_("Or write it: at 22:30, tomorrow 7:30, in 2 hours.")),),
        buttons=(*(Button(label=_(label), line=_line(ref, f"at:{typed}")) for typed, label in TIMES), _back(ref)),
    )


def _name(plan: Plan, ref: str) -> Reply:
    return Reply(
        title=_("What is it called? · {name}", name=plan.suffix),
        summary=_("Write it, like: name toast"),
        blocks=(Note(text=_("Small letters, digits and dashes, at most 40. You run it by this name in Ollama.")),),
        buttons=(_back(ref),),
    )


def _character(plan: Plan, ref: str) -> Reply:
    said = plan.mapping.character if plan.mapping is not None else None
    return Reply(
        title=_("Who should it be? · {name}", name=plan.suffix),
        summary=_("Each row will begin with what you write, and so will each talk with the finished model."),
        blocks=(
            *([Fields(fields=((_("Now"), one_line(said)),))] if said else []),
            Note(text=_("Write it, like: character: You are Ruth, a pirate. You answer in one sentence.")),
        ),
        buttons=(
            *(
                Button(label=_(label), line=line)
                for label, words in CHARACTERS
                if len((line := _line(ref, quoted("character", _(words)))).encode()) <= LINE_BYTES
            ),
            _back(ref),
        ),
    )


def _advanced(plan: Plan, ref: str) -> Reply:
    """Return every setting with its value and reason, what there is to do, and what the memory is made of."""
    items, below = [], []
    for setting in plan.reasons:
        if setting.name in {"preset", *PreferenceHyperparameters.model_fields}:
            items.append(f"{TYPED_NAMES.get(setting.name, setting.name)}: {setting.value}")
            below.append(setting.reason)
    return Reply(
        title=_("Advanced · {name}", name=plan.suffix),
        blocks=(Items(items=tuple(items), below=tuple(below)), _work(plan), *_memory(plan)),
        buttons=(*(_part(ref, typed(name), typed(name)) for name in LADDERS), _back(ref)),
    )


def typed(name: str) -> str:
    """Return a setting's name as it is typed."""
    return TYPED_NAMES.get(name, name)


def _setting(plan: Plan, ref: str, name: str) -> Reply:
    """Return one setting: its value, the reason for it, and three others."""
    now = getattr(plan.settings, name)
    reason = next((it.reason for it in plan.reasons if it.name == name), "")
    by_hand = getattr(plan.method.hyperparameters, name) != "auto"
    return Reply(
        title=f"{typed(name)} · {plan.suffix}",
        summary="\n".join(filter(None, [_("Now {value}.", value=_shown_now(name, now)), reason])),
        blocks=(Note(text=_("It may be {possible}.", possible=describe_setting(name))),),
        buttons=(
            *(
                Button(label=_shown(value), line=_line(ref, f"{typed(name)}:{written(value)}"))
                for value in nearest_on(LADDERS[name], now)
            ),
            *([Button(label=_("As computed"), line=_line(ref, f"{typed(name)}:auto"))] if by_hand else []),
            Button(label=_("Back"), line=_line(ref, "part:advanced")),
        ),
    )


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return written(value)


def _shown_now(name: str, value: object) -> str:
    return written(value) if name == "init_lora_weights" else _shown(value)  # where True is one name among others


def _other_epochs(n: float) -> list[int]:
    """Return about half as many and half as many more."""
    fewer, more = max(1, round(n / 2)), min(MOST_EPOCHS, max(round(n * 1.5), int(n) + 1))
    return sorted({it for it in (fewer, more) if it != n})


def _epochs(ref: str, n: int) -> Button:
    return Button(label=ngettext("{n} epoch", "{n} epochs", n), line=_line(ref, f"epochs:{short(n)}"))


def _part(ref: str, label: str, part: str) -> Button:
    return Button(label=clip(label, LABEL), line=_line(ref, f"part:{part}"))


def _back(ref: str) -> Button:
    return Button(label=_("Back"), line=f"/finetune change:{ref}")


def _line(ref: str, change: str) -> str:
    return f"/finetune change:{ref} {change}"


def _work(plan: Plan) -> Fields:
    """Return what there is to do, and the disk that it takes."""
    way = _(WAYS[plan.settings.held_in])
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
