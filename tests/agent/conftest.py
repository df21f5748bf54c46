"""Fixtures of the agent's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.settings import AgentSettings


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[AgentSettings]:
    """Settings with a data folder of their own and a file limit of 1 MiB; trainers left behind may go on and end."""
    data_dir = tmp_path / "data"
    settings = AgentSettings.model_validate(
        {"hearth_data_dir": data_dir, "hearth_file_limit_mib": 1, "hearth_disk_floor_mib": 64}
    )
    for folder in (data_dir, settings.files_dir, settings.jobs_dir):
        folder.mkdir()
    yield settings
    for folder in settings.jobs_dir.iterdir():
        (folder / "go").touch()
