"""Text as Discord's Markdown that reads exactly as it was written. Pure.

The library's own `escape_markdown` leaves links, `[` and what begins a list or a heading alone, so it is not used.
"""

import re

from bot.words.format import plain

UNLINKED = "@\u2060"  # an unseen word joiner, so that a name in somebody's data is no mention
_INLINE = re.compile(r"[\\`*_~|\[\]<>]")
_AT_START = re.compile(r"(?m)^([ \t]*)([-+]|#{1,3}(?=[ \t])|\d+(?=[.)][ \t]))")
_NAMING = re.compile(r"@(?=[\w&!])")


def escape(text: str) -> str:
    """Return Markdown that shows the text as it is: no style, no link, no mention, no emoji, no time."""
    escaped = _INLINE.sub(r"\\\g<0>", plain(text))
    escaped = _AT_START.sub(_escaped_start, escaped)
    return _NAMING.sub(UNLINKED, escaped)


def code(text: str) -> str:
    """Return lines as a block that is copied with one tap. Inside it nothing is markup."""
    return "\n".join(["```", plain(text).replace("```", "`\u2060`\u2060`"), "```"])


def moment(at: int) -> str:
    """Return a time that ticks in the reader's own clock, without edits."""
    return f"<t:{at}:R>"


def _escaped_start(found: "re.Match[str]") -> str:
    mark = found[2]
    return f"{found[1]}{mark}\\" if mark.isdecimal() else f"{found[1]}\\{mark}"
