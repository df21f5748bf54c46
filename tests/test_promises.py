"""Each promise has its test: every test that PROMISES.md names is there, and so is any that another page names."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROMISES = "PROMISES.md"
PAGES = (PROMISES, "README.md", "CONTRIBUTING.md", "DECISIONS.md")


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


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


@pytest.mark.parametrize(("file", "name"), sorted({found for page in PAGES for found in named(read(page))}))
def test_promise_names_a_test_that_is_there(file: str, name: str) -> None:
    text = read(file)
    assert re.search(rf"^(async def|def|class) {name}\b|^{name}\b" if name else "def test_", text, re.MULTILINE)


def test_each_row_of_both_tables_names_its_test() -> None:
    rows = [line for line in read(PROMISES).splitlines() if line.startswith("| ") and "held by" not in line]
    assert len(rows) >= 45
    assert [row for row in rows if not named(row)] == []


def test_readme_leads_to_the_promises() -> None:
    assert f"]({PROMISES})" in read("README.md")
