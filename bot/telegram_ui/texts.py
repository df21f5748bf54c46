"""What only Telegram makes us say. Pure."""

from dataclasses import replace

from bot.core.blocks import Words
from bot.core.reply import Button, Reply, Tone
from bot.telegram_ui.inbound import DECLINED, OFFERED
from bot.words.format import clip, one_line, size
from shared.language import N_, _

NOT_LET_IN = N_(
    "Telegram does not accept TELEGRAM_TOKEN: it is mistyped, or was revoked. @BotFather "
    "shows the present one under /mybots. Telegram is not served."
)
ANONYMOUS = N_(
    "I cannot see who you are: you write as the group. Switch off “Remain anonymous” in your "
    "admin rights, or ask me in a private chat."
)
NO_DATASET = N_(
    "I read datasets: JSONL, JSON, CSV, Excel, Parquet, text or a chat export, sent as a file. /help shows how."
)
LEFT_ALONE = N_("All right, I leave that file alone.")
UNKNOWN_BUTTON = N_("I do not know this button any more. /help shows what I know.")


def offer(name: str, byte_count: int | None) -> Reply:
    """Return what is asked about a file that came without a word."""
    return Reply(
        tone=Tone.waiting,
        summary=_("Teach a model {name} ({size})?", name=clip(one_line(name), 60), size=size(byte_count)),
        buttons=(Button(label=_("Fine-tune"), line=OFFERED), Button(label=_("No"), line=DECLINED)),
    )


def without_media(reply: Reply) -> Reply:
    """Return a reply for a chat that takes texts alone: what it would have brought is named, or told in words."""
    if not reply.files:
        words = reply.image.alt_text if reply.image is not None else ""
        return replace(reply, blocks=(*reply.blocks, *([Words(text=words)] if words else [])), image=None)
    names = ", ".join(one_line(file.name) for file in reply.files)
    text = _(
        "I may not send files in this chat, so this is missing: {names}. Let me, and ask with /status and the job's "
        "number; or copy it on the GPU machine with hearth-agent results and that number.",
        names=names,
    )
    return replace(reply, blocks=(*reply.blocks, Words(text=text)), files=())


def said(text: str) -> Reply:
    """Return a sentence or two as a message."""
    return Reply(summary=text)
