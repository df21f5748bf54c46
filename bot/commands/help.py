"""/help: one phone screen."""

from bot.call import Call
from bot.chat import Answer
from bot.core import Command, Core
from bot.format import wrap
from bot.reply import Button, Reply


async def run(_call: Call, core: Core, answer: Answer) -> None:
    """Say what this is, how to begin, and what else there is."""
    lines = [
        "Teach a language model your own style,",
        "on your own machine.",
        "",
        *wrap("Send a JSONL, JSON or CSV file of questions and answers with /finetune. I show a plan first."),
        "",
        "No file at hand? /finetune sample",
        "",
        *[f"{f'/{command.name} {command.usage}'.strip()}: {command.summary}" for command in core.commands],
        "",
        "After the file you may add",
        "name:toast epochs:3 lr:2e-4 at:22:00",
    ]
    await answer.show(Reply(text="\n".join(lines), buttons=(Button(label="Try the sample", line="/finetune sample"),)))


COMMAND = Command(name="help", usage="", summary="this page", run=run)
