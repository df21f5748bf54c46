"""Every card that `make screens` draws can be told, names no id, and without Chromium it says what to install."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.screens.stories import tell

ID = re.compile(r"\b(?:file|ftplan|insp|ftjob)-[0-9a-f]")


async def test_no_card_shows_an_id_and_every_button_fits() -> None:
    names = []
    async for name, reply in tell():
        names.append(name)
        shown = reply.text + "".join(f"{copy.intro} {copy.lines}" for copy in reply.copy)
        assert not ID.search(shown), name
        assert all(len(button.label) <= 20 and len(button.line.encode()) <= 64 for button in reply.buttons), name
        assert sum(button.weight == "primary" for button in reply.buttons) <= 1, name
    assert len(names) == len(set(names)) > 20


def test_without_a_browser_it_says_what_to_install(tmp_path: Path) -> None:
    environment = {**os.environ, "PATH": str(tmp_path)}
    made = subprocess.run(
        [sys.executable, "-m", "tests.screens", str(tmp_path / "screens")], env=environment, capture_output=True,
        check=False, text=True,
    )  # fmt: skip
    assert made.returncode == 2
    assert made.stderr.startswith("`make screens` draws with Chromium, and there is none here.")
    assert "apt install chromium" in made.stderr
