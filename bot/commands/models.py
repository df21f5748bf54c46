"""/models: what can be taught, and what was."""

from bot.core.call import Call
from bot.core.chat import Answer
from bot.core.reply import Reply
from bot.dispatch.command import Command, Core
from bot.dispatch.owner_approval import ALLOW, say_yes
from bot.words.format import duration, flow, mebibytes, one_line, weights
from shared.language import N_, _
from shared.models import Model

OTHERS_SHOWN = 4


async def run(call: Call, core: Core, answer: Answer) -> None:
    """List base models, then tuned ones; or say yes to a new one."""
    if call.arguments[:1] and call.arguments[0].startswith(ALLOW):
        await say_yes(call, core, answer, call.arguments[0].removeprefix(ALLOW))
        return
    models = (await core.agent.models()).data
    base = [model for model in models if model.kind == "base"]
    here = [line for model in base if model.here for line in _base(model)]
    others = [model for model in base if not model.here and model.fits]
    tuned = [line for model in models if model.kind == "tuned" for line in _tuned(model)]
    blocks = [[_("To learn from, best first"), *(here or [_("none found")])]]
    if others:
        shown = [line for model in others[:OTHERS_SHOWN] for line in _base(model)]
        blocks += [[*flow(_("Would fit here too, after a download")), *shown]]
    blocks += [[_("Made here"), *tuned]] if tuned else []
    blocks += [flow(_("Take one with model:NAME. Any Hugging Face id works too, if its licence lets you."))]
    await answer.show(Reply(text="\n\n".join("\n".join(block) for block in blocks)))


def _base(model: Model) -> list[str]:
    facts = [
        model.id,
        _("{weights} weights", weights=weights(model.parameters)) if model.parameters else "",
        model.license or "",
        _("licence to accept on Hugging Face") if model.gated else "",
        model.strengths or "",
    ]
    lines = flow(one_line(", ".join(filter(None, facts))), first="- ", rest="  ")
    return lines + (flow(_needs(model), first="  ", rest="  ") if model.fits is not None else [])


def _needs(model: Model) -> str:
    memory = mebibytes(model.memory_mib)
    if not model.fits:
        return _("does not fit now: needs {memory}", memory=memory)
    hours = model.usual_hours or 0.0
    return _("{memory} of memory, 1,000 rows in {time}", memory=memory, time=duration(3600 * hours))


def _tuned(model: Model) -> list[str]:
    base = _(", from {base}", base=one_line(model.base)) if model.base else ""
    return flow(f"{one_line(model.id)}{base}", first="- ", rest="  ")


def _says_yes(arguments: tuple[str, ...]) -> bool:
    return bool(arguments) and arguments[0].startswith(ALLOW)


COMMAND = Command(name="models", usage="", summary=N_("models to choose from"), run=run, keeps=_says_yes)
