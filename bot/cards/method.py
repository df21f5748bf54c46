"""How a model learns from its rows, in words, and the other ways in which it could. Pure."""

from bot.core.blocks import Items
from bot.core.reply import Button, Reply
from bot.words.format import one_line
from shared.language import N_, _
from shared.plans import Plan

NAMES = {
    "supervised": N_("Answers alone"),
    "pretraining": N_("Whole texts"),
    "dpo": "DPO",
    "orpo": "ORPO",
    "kto": "KTO",
}


def method_page(plan: Plan, ref: str, *, back: Button) -> Reply:
    """Return the ways in which such rows can be learned, each a button."""
    others = [it for it in plan.methods if it.type != plan.method.type]
    now = next((one_line(it.title) for it in plan.methods if it.type == plan.method.type), plan.method.type)
    return Reply(
        title=_("How does it learn? · {name}", name=plan.suffix),
        summary=_("Now it {how}.", how=now),
        blocks=(Items(items=tuple(f"{_name(it.type)}: {one_line(it.title)}" for it in others)),),
        buttons=(
            *(Button(label=_name(it.type), line=f"/finetune change:{ref} method:{it.type}") for it in others),
            back,
        ),
    )


def _name(method: str) -> str:
    return _(NAMES[method]) if method in NAMES else method
