"""What README and CONTRIBUTING promise is tested: each test that they name is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = "".join((ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "CONTRIBUTING.md"))


def named(text: str) -> list[tuple[str, str]]:
    """Return each file and test that a text names; `::test_x` alone is of the file that its line named before."""
    found = set()
    for line in text.splitlines():
        file = ""
        for path, name in re.findall(r"`(tests/[\w/]*test_\w+\.py)?(?:::(\w+))?`", line):
            file = path or file
            if path or name:
                found.add((file, name))
    return sorted(found)


NAMED = named(TEXT)


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_promise_names_a_test_that_is_there(file: str, name: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    assert re.search(rf"^(async def|def|class) {name}\b|^{name}\b" if name else "def test_", text, re.MULTILINE)


def test_there_are_promises() -> None:
    assert len(NAMED) >= 50
