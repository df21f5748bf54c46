"""/help: one phone screen, and one more for each topic."""

from dataclasses import replace

from bot.core.blocks import Fields, Words
from bot.core.call import Call
from bot.core.chat import Answer
from bot.core.reply import Button, Reply, Weight
from bot.dispatch.command import Command, Core
from bot.dispatch.greeting import stranger_welcome
from bot.words.format import capital
from shared.language import N_, _

TOPICS = {
    "results": N_("what came out, and once more"),
    "machine": N_("the machine, its models and jobs"),
    "people": N_("who may use this machine"),
}


async def run(call: Call, core: Core, answer: Answer) -> None:
    """Say what this is, how to begin, and what else there is. A stranger first reads whom to ask."""
    topic = call.arguments[0].lower() if call.arguments else ""
    if topic in TOPICS:
        await answer.show(_topic(topic, core))
        return
    command = next((it for it in core.commands if it.name == topic.removeprefix("/")), None)
    if command is not None:
        await answer.show(Reply(title=f"/{command.name} {command.usage}".strip(), summary=capital(_(command.summary))))
        return
    await answer.show(_page(core))
    welcome = await stranger_welcome(call, core)
    if welcome:
        await answer.show(Reply(title=_("Hello!"), summary="\n".join(welcome), blocks=(_commands(core, ""),)))


def _page(core: Core) -> Reply:
    text = _(
        "Teach a language model your own style, on your machine. Send your data with /finetune; I show a plan first."
    )
    commands = _commands(core, "")
    return Reply(
        title="Hearth",
        summary=text,
        blocks=(
            replace(commands, fields=(*commands.fields, *_topics())),
            Words(heading=_("After the file you may add"), text=_("name toast, epochs 3, at 22:00")),
        ),
        buttons=(Button(label=_("Try the sample"), line="/finetune sample", weight=Weight.primary),),
    )


def _topics() -> tuple[tuple[str, str], ...]:
    return tuple((f"/help {topic}", _(what)) for topic, what in TOPICS.items())


def _topic(topic: str, core: Core) -> Reply:
    if topic != "people":
        return Reply(title=capital(_(TOPICS[topic])), blocks=(_commands(core, topic),))
    roles = _(
        "The owner allows people, chats and servers. A member starts jobs and stops their own; an admin, anybody's."
    )
    how = _("Reply to somebody's message with /allow or /deny, or send the command alone and choose.")
    return Reply(title=capital(_(TOPICS[topic])), blocks=(_commands(core, topic), Words(text=f"{roles}\n{how}")))


def _commands(core: Core, topic: str) -> Fields:
    return Fields(
        fields=tuple(
            (f"/{command.name} {command.usage}".strip(), _(command.summary))
            for command in core.commands
            if command.topic == topic and command is not COMMAND  # whoever reads this knows it
        )
    )


COMMAND = Command(name="help", usage="[topic]", summary=N_("this page"), run=run)
