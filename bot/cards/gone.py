"""The last word of a card that is not kept any more: its job is gone, or not for who reads it. Pure."""

from bot.core.reply import Reply, Tone
from shared.language import _


def unknown_card(shown: str) -> Reply:
    """Return the last word on a job that the agent does not know."""
    first = shown.partition("\n")[0]
    said = _("The agent does not know this job any more. Last seen: {first}", first=first)
    return Reply(title=_("Gone"), tone=Tone.bad, summary=said)


def withdrawn_card(why: str) -> Reply:
    """Return the last word on a job to who may not see it any more, in the agent's words: nothing of the job stays."""
    return Reply(title=_("Not shown any more"), tone=Tone.bad, summary=why)
