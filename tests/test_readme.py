"""What README and CONTRIBUTING promise is tested: each test that they name is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = "".join((ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "CONTRIBUTING.md"))
NAMED = sorted(set(re.findall(r"`(tests/[\w/]*test_\w+\.py)(?:::(\w+))?`", TEXT)))


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_promise_names_a_test_that_is_there(file: str, name: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    assert re.search(rf"^(async def|def|class) {name}\b|^{name}\b" if name else "def test_", text, re.MULTILINE)


def test_there_are_promises() -> None:
    assert len(NAMED) >= 50
