"""/help: one phone screen, and one more for each topic."""

from bot.core.call import Call
from bot.core.chat import Answer
from bot.core.reply import Button, Reply
from bot.dispatch.command import Command, Core
from bot.dispatch.greeting import stranger_welcome
from bot.words.format import capital, flow
from shared.language import N_, _

TOPICS = {"people": N_("who may use this machine")}


async def run(call: Call, core: Core, answer: Answer) -> None:
    """Say what this is, how to begin, and what else there is. A stranger first reads whom to ask."""
    topic = call.arguments[0].lower() if call.arguments else ""
    if topic in TOPICS:
        await answer.show(_topic(topic, core))
        return
    await answer.show(_page(core))
    welcome = await stranger_welcome(call, core)
    if welcome:
        await answer.show(Reply(text="\n".join([_("Hello!"), *welcome, "", *_lines(core, "")])))


def _page(core: Core) -> Reply:
    text = _(
        "Teach a language model your own style, on your machine. Send your data with /finetune; I show a plan first."
    )
    lines = [
        *flow(text),
        _("No file at hand? /finetune sample"),
        "",
        *_lines(core, ""),
        *[f"/help {topic}: {_(what)}" for topic, what in TOPICS.items()],
        "",
        _("After the file you may add"),
        "name:toast epochs:3 lr:2e-4 at:22:00",
    ]
    return Reply(text="\n".join(lines), buttons=(Button(label=_("Try the sample"), line="/finetune sample"),))


def _topic(topic: str, core: Core) -> Reply:
    lines = [
        capital(_(TOPICS[topic])),
        "",
        *_lines(core, topic),
        "",
        *flow(
            _(
                "The owner allows people, chats and servers. A member starts jobs and stops their own; "
                "an admin, anybody's."
            )
        ),
        *flow(_("Answer a message of somebody with /allow or /deny, or say it alone and choose.")),
    ]
    return Reply(text="\n".join(lines))


def _lines(core: Core, topic: str) -> list[str]:
    return [
        f"{f'/{command.name} {command.usage}'.strip()}: {_(command.summary)}"
        for command in core.commands
        if command.topic == topic and command is not COMMAND  # whoever reads this knows it
    ]


COMMAND = Command(name="help", usage="[people]", summary=N_("this page"), run=run)
