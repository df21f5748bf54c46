"""What a request reads as while the agent cannot be reached: it is kept, and how to take it back. Pure."""

from bot.core.reply import Button, Reply, Tone
from shared.language import _

KEPT = "kept:"  # in front of the number of a kept request, as in /cancel kept:12


def queued_card(request_id: int, *, why: str) -> Reply:
    """Return the answer to a call that waits for the agent; `why` is what the agent's silence was told as."""
    silence = why.partition("\n")[0]
    return Reply(
        title=_("Queued until the PC is back"),
        tone=Tone.waiting,
        summary=f"{silence}\n{_('I send it when the agent answers again, once.')}",
        buttons=(Button(label=_("Forget it"), line=f"/cancel {KEPT}{request_id}"),),
    )


def forgotten_request(command: str) -> Reply:
    """Return what a request that was taken back reads as."""
    return Reply(summary=_("Forgotten: your /{command} was not sent. Nothing has changed.", command=command))
