"""What the README promises is tested: each test that it names is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NAMED = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", (ROOT / "README.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_promise_names_a_test_that_is_there(file: str, name: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    assert re.search(rf"^(async def|def|class) {name}\b|^{name}\b" if name else "def test_", text, re.MULTILINE)


def test_there_are_promises() -> None:
    assert len(NAMED) >= 15
