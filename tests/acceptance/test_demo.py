"""The one story that trains the real small model: `make demo`, as a user runs it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from agent.export.modelfile import parse_modelfile
from shared.results import JobResult

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


def test_the_demo_ends_with_a_model_that_speaks_like_its_data(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "bot.demo"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    output = tmp_path / "demo-output"
    result = JobResult.model_validate_json((output / "report.json").read_bytes())
    assert result.final_loss < result.base_loss
    assert result.verification.template_tokens_equal
    assert result.verification.stops
    assert parse_modelfile((output / "Modelfile").read_text())[0] == ("from", "./toast.gguf")
    assert (output / "toast.gguf").read_bytes()[:4] == b"GGUF"
    assert (output / "loss.png").read_bytes()[:4] == b"\x89PNG"
    assert "ollama run toast" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert_fits_a_phone(done.stdout)


def assert_fits_a_phone(transcript: str) -> None:
    """Cards have at most 40 characters a line; what is typed or copied may be longer."""
    cards = transcript.partition("All of it was real")[0]
    long = [line for line in cards.splitlines() if len(line) > 40 and not re.match(r"you ›|  \S|  /finetune", line)]
    assert long == []
