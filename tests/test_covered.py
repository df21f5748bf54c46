"""What `make test` says of its coverage."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.covered import REPORT, lines


def summary(percent: float) -> dict[str, object]:
    return {"summary": {"percent_covered": percent}}


def test_the_total_comes_first_and_then_what_is_under_ninety_percent_the_least_first() -> None:
    totals = {"percent_covered": 91.26, "num_statements": 100, "num_branches": 20}
    files = {"agent/a.py": summary(89.9), "bot/b.py": summary(12), "shared/c.py": summary(90)}
    total, *low = lines({"totals": totals, "files": files})
    assert "91.3 % of 100 statements and 20 branches" in total
    assert [line.split() for line in low] == [["12", "%", "bot/b.py"], ["90", "%", "agent/a.py"]]


@pytest.mark.process
def test_branches_of_all_three_packages_are_measured_where_the_report_is_looked_for(tmp_path: Path) -> None:
    configured = tomllib.loads(Path("pyproject.toml").read_text())["tool"]["coverage"]
    assert configured["json"]["output"] == str(REPORT)
    data, report = f"--data-file={tmp_path / 'data'}", tmp_path / "report.json"
    code = "import shared.log_file"
    (tmp_path / "one.py").write_text(code)
    for arguments in (["run", data, str(tmp_path / "one.py")], ["json", data, "-o", str(report)]):
        subprocess.run([sys.executable, "-m", "coverage", *arguments], check=True, capture_output=True)
    found = json.loads(report.read_text())
    assert found["totals"]["num_branches"] > 0
    assert {name.partition("/")[0] for name in found["files"]} == {"agent", "bot", "shared"}
