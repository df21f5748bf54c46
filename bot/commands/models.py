"""/models: what can be taught, and what was."""

from bot.core.blocks import Items, Note, Words
from bot.core.call import Call
from bot.core.chat import Answer
from bot.core.reply import Reply
from bot.dispatch.command import Command, Core
from bot.dispatch.owner_approval import AGAIN, ALLOW, REFUSE, do_again, say_no, say_yes
from bot.words.format import duration, mebibytes, one_line, weights
from shared.language import N_, _
from shared.models import Model

OTHERS_SHOWN = 4
DECISIONS = {ALLOW: say_yes, REFUSE: say_no, AGAIN: do_again}


async def run(call: Call, core: Core, answer: Answer) -> None:
    """List base models, then tuned ones; or say yes to a new one."""
    for begin, decide in DECISIONS.items():
        if call.arguments[:1] and call.arguments[0].startswith(begin):
            await decide(call, core, answer, call.arguments[0].removeprefix(begin))
            return
    models = (await core.agent.models()).data
    base = [model for model in models if model.kind == "base"]
    here = [model for model in base if model.here]
    others = [model for model in base if not model.here and model.fits][:OTHERS_SHOWN]
    tuned = [model for model in models if model.kind == "tuned"]
    how = _("Take one with model:NAME. Any Hugging Face id works too, if its licence lets you.")
    await answer.show(
        Reply(
            title=_("Models"),
            blocks=(
                _base(here, _("To learn from, best first")) if here else Words(text=_("None to learn from was found.")),
                *([_base(others, _("Would fit here too, after a download"))] if others else []),
                *([Items(heading=_("Made here"), items=tuple(map(_tuned, tuned)))] if tuned else []),
                Note(text=how),
            ),
        )
    )


def _base(models: list[Model], heading: str) -> Items:
    return Items(heading=heading, items=tuple(map(_facts, models)), below=tuple(map(_needs, models)))


def _facts(model: Model) -> str:
    facts = [
        model.id,
        _("{weights} weights", weights=weights(model.parameters)) if model.parameters else "",
        model.license or "",
        _("licence to accept on Hugging Face") if model.gated else "",
        model.strengths or "",
    ]
    return one_line(", ".join(filter(None, facts)))


def _needs(model: Model) -> str:
    if model.fits is None:
        return ""
    memory = mebibytes(model.memory_mib)
    if not model.fits:
        return _("does not fit now: needs {memory}", memory=memory)
    hours = model.usual_hours or 0.0
    return _("{memory} of memory, 1,000 rows in {time}", memory=memory, time=duration(3600 * hours))


def _tuned(model: Model) -> str:
    base = _(", from {base}", base=one_line(model.base)) if model.base else ""
    return f"{one_line(model.id)}{base}"


def _decides(arguments: tuple[str, ...]) -> bool:
    return bool(arguments) and arguments[0].startswith((ALLOW, REFUSE))


COMMAND = Command(
    name="models", usage="", summary=N_("models to choose from"), run=run, topic="machine", keeps=_decides
)
