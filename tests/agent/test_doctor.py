import subprocess
import sys
from pathlib import Path

import pytest

from agent.settings import AgentSettings

pytestmark = pytest.mark.process


@pytest.mark.slow
def test_the_doctor_says_what_this_machine_can_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEARTH_DATA_DIR", str(tmp_path))
    done = subprocess.run([sys.executable, "-m", "agent.doctor"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for what in (
        "Trains on",
        "Disk",
        "Children",
        "4-bit (NF4)",
        "GGUF export",
        "llama.cpp",
        "Packaged model",
        "Versions",
    ):
        assert f"ok    {what}" in done.stdout
    assert done.stdout.endswith("plays the whole story.\n")


def test_a_kernel_that_confines_no_child_is_said_with_what_would(monkeypatch: pytest.MonkeyPatch) -> None:
    from agent import doctor

    monkeypatch.setattr(doctor, "landlock", lambda: 0)
    finding = doctor.examine_sandbox(AgentSettings())
    assert finding.ok, "training works all the same"
    assert "no Landlock" in finding.found
    assert "Linux 5.13" in finding.remedy
    switched_off = doctor.examine_sandbox(AgentSettings(hearth_sandbox=False))
    assert "HEARTH_SANDBOX" in switched_off.found


def test_a_library_that_does_not_run_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    from agent.doctor import REINSTALL, examine_library

    finding = examine_library("llama.cpp", "import a_library_that_is_not_here", REINSTALL)
    assert not finding.ok
    assert "a_library_that_is_not_here" in finding.found
    assert "make install" in finding.remedy
