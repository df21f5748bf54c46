"""What `make test` says of its coverage."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.covered import added_up, lines
from tests.measured import PACKAGES


def summary(percent: float, **more: object) -> dict[str, object]:
    return {"summary": {"percent_covered": percent, **more}}


def test_the_total_comes_first_and_then_what_is_under_ninety_percent_the_least_first() -> None:
    counts = {"covered_lines": 90, "missing_lines": 10, "covered_branches": 15, "missing_branches": 5}
    files = {"agent/a.py": summary(89.9), "bot/b.py": summary(12), "shared/c.py": summary(90)}
    total, *low = lines(summary(91.26, **counts) | {"files": files})
    assert "91.3 % of 100 statements and 20 branches" in total
    assert [line.split() for line in low] == [["12", "%", "bot/b.py"], ["90", "%", "agent/a.py"]]


MODULE = "def sign(number: int) -> int:\n    if number < 0:\n        return -1\n    return 1\n"
TEST = "from shared.sign import sign\n\n\ndef test_{0}() -> None:\n    assert sign({1}) == {1}\n"


@pytest.mark.process
def test_lines_and_branches_that_any_worker_saw_are_added_up_and_what_none_saw_counts(tmp_path: Path) -> None:
    (tmp_path / ".venv").mkdir()
    (tmp_path / "tests").symlink_to(Path(__file__).parent)
    for package in PACKAGES:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
        (tmp_path / package / "sign.py").write_text(MODULE)
    for name, number in (("one", 1), ("minus_one", -1)):
        (tmp_path / f"test_{name}.py").write_text(TEST.format(name, number))
    command = [sys.executable, "-m", "pytest", "-q", "--numprocesses", "2", "-p", "tests.measured"]
    outside = {name: value for name, value in os.environ.items() if name != "PYTEST_XDIST_WORKER"}
    subprocess.run(
        [*command, "test_one.py", "test_minus_one.py"], cwd=tmp_path, env=outside, check=True, capture_output=True
    )
    reports = sorted((tmp_path / ".venv").glob("coverage-*.json"))
    assert len(reports) == 2
    found = added_up(reports)
    assert not list((tmp_path / ".venv").iterdir()), "the next run must not find them"
    seen = {name: file["summary"] for name, file in found["files"].items()}
    assert (seen["shared/sign.py"]["missing_lines"], seen["shared/sign.py"]["covered_branches"]) == (0, 2)
    assert seen["agent/sign.py"]["covered_lines"] == 0
    assert {f"{package}/sign.py" for package in PACKAGES} <= set(seen)
