"""/models: what can be taught, and what was."""

from bot.call import Call
from bot.chat import Answer
from bot.core import Command, Core
from bot.format import one_line, weights, wrap
from bot.owner_yes import ALLOW, say_yes
from bot.reply import Reply
from shared.language import N_, _
from shared.models import Model


async def run(call: Call, core: Core, answer: Answer) -> None:
    """List base models, then tuned ones; or say yes to a new one."""
    if call.arguments[:1] and call.arguments[0].startswith(ALLOW):
        await say_yes(call, core, answer, call.arguments[0].removeprefix(ALLOW))
        return
    models = (await core.agent.models()).data
    base = [line for model in models if model.kind == "base" for line in _base(model)]
    tuned = [line for model in models if model.kind == "tuned" for line in _tuned(model)]
    blocks = [[_("To learn from"), *(base or [_("none found")])]]
    blocks += [[_("Made here"), *tuned]] if tuned else []
    blocks += [wrap(_("Take one with model:NAME. Any Hugging Face id works too, if its licence lets you."))]
    await answer.show(Reply(text="\n\n".join("\n".join(block) for block in blocks)))


def _base(model: Model) -> list[str]:
    facts = [
        model.id,
        _("{weights} weights", weights=weights(model.parameters)) if model.parameters else "",
        model.license or "",
    ]
    return wrap(one_line(", ".join(filter(None, facts))), first="- ", rest="  ")


def _tuned(model: Model) -> list[str]:
    base = _(", from {base}", base=one_line(model.base)) if model.base else ""
    return wrap(f"{one_line(model.id)}{base}", first="- ", rest="  ")


def _says_yes(arguments: tuple[str, ...]) -> bool:
    return bool(arguments) and arguments[0].startswith(ALLOW)


COMMAND = Command(name="models", usage="", summary=N_("models to choose from"), run=run, keeps=_says_yes)
