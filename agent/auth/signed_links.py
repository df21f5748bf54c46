"""Links to results that need no key: signed, for one file, until a moment. Pure."""

import hashlib
import hmac

from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.language import _

LIFE_S = 24 * 3600
PURPOSE = b"hearth: links to files, version 1"  # what is signed for another purpose has another key


def link_path(key: str, file_id: str, *, expires_at: int) -> str:
    """Return path and query of a link, to go behind the public URL."""
    return f"/v1/files/{file_id}/download?expires={expires_at}&signature={sign(key, file_id, expires_at)}"


def sign(key: str, file_id: str, expires_at: int) -> str:
    """Return the signature over a file and the moment its link ends, in hex."""
    own_key = hmac.digest(key.encode(), PURPOSE, hashlib.sha256)
    return hmac.digest(own_key, f"{file_id}\n{expires_at}".encode(), hashlib.sha256).hex()


def check(key: str, file_id: str, *, expires_at: int, signature: str, now: float) -> None:
    """Raise link_invalid unless the link was made with this key and still holds. In constant time."""
    expected = sign(key, file_id, expires_at)
    if not hmac.compare_digest(signature.encode(errors="surrogateescape"), expected.encode()):
        raise not_a_link()
    if now >= expires_at:
        raise AgentError(
            _("This link has expired: it held for a day. Ask for a new one in the chat, with /status and the job."),
            code=ErrorCode.link_invalid,
        )


def not_a_link() -> AgentError:
    """Return the refusal of a link that was not made here."""
    return AgentError(
        _("This link is not valid. Copy all of it, or ask for a new one in the chat, with /status and the job."),
        code=ErrorCode.link_invalid,
    )
