"""What a link is worth: only what was signed, only until its end."""

import pytest

from agent.auth.signed_links import LIFE_S, check, sign
from agent.errors import AgentError
from shared.errors import ErrorCode

KEY = "hearth-a-key"
END = 1_790_000_000 + LIFE_S


def test_a_link_holds_until_the_second_before_its_end() -> None:
    check(KEY, "file-1", expires_at=END, signature=sign(KEY, "file-1", END), now=END - 1)
    with pytest.raises(AgentError, match="has expired"):
        check(KEY, "file-1", expires_at=END, signature=sign(KEY, "file-1", END), now=END)


@pytest.mark.parametrize(
    ("key", "file_id", "expires_at", "signature"),
    [
        (KEY, "file-2", END, sign(KEY, "file-1", END)),
        (KEY, "file-1", END + 1, sign(KEY, "file-1", END)),
        ("another", "file-1", END, sign(KEY, "file-1", END)),
        (KEY, "file-1", END, sign(KEY, "file-1", END).upper()),
        (KEY, "file-1", END, ""),
        (KEY, "file-1", END, "ü\udcff"),
    ],
)
def test_a_link_for_something_else_is_forged(key: str, file_id: str, expires_at: int, signature: str) -> None:
    with pytest.raises(AgentError, match="not valid") as refused:
        check(key, file_id, expires_at=expires_at, signature=signature, now=0)
    assert refused.value.code is ErrorCode.link_invalid
    assert refused.value.status == 403
