"""A text that comes in pieces, masked before all of it is there. Pure."""

from agent.data.redact import redact

HELD_BACK = 64  # characters at the end: as long as anything that is masked, but for a key, which has no space in it
_KEY_BEGINS = "-----BEGIN"


class MaskedStream:
    """Takes a text piece by piece and gives back what may be shown of it, personal data and secrets masked."""

    def __init__(self) -> None:
        self._heard = ""
        self._given = ""

    def feed(self, piece: str) -> str:
        """Take a piece; return what may be shown now and was not before."""
        self._heard += piece
        masked = redact(self._heard)
        key = masked.find(_KEY_BEGINS)
        sure = masked[: max(0, len(masked) - HELD_BACK)] if key < 0 else masked[:key]
        return self._give(sure[: sure.rfind(" ") + 1])

    def end(self) -> str:
        """Return the rest."""
        return self._give(redact(self._heard))

    def _give(self, text: str) -> str:
        """Return what a text has beyond what was given; nothing where what was given has become another since."""
        if not text.startswith(self._given):
            return ""
        new, self._given = text[len(self._given) :], text
        return new
