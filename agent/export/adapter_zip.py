"""The trained adapter as a result file: one zip that PEFT users unpack. Loads nothing."""

import logging
import zipfile
from pathlib import Path

from agent.job_folder.checkpoint_files import newest_valid
from agent.job_folder.folder import ADAPTER_FILE, JobFolder
from shared.jobs import Stage

log = logging.getLogger(__name__)


def zip_adapter(folder: JobFolder, source: Path, *, name: str) -> Path:
    """Pack the adapter in `source` into export/NAME-adapter.zip and return it."""
    out = folder.export / f"{name}-adapter.zip"
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED, strict_timestamps=False) as archive:
        for part in (ADAPTER_FILE, "adapter_config.json"):
            archive.write(source / part, part)
    return out


def zip_newest_checkpoint(folder: JobFolder) -> Path | None:
    """Pack what was learned, if the trainer did not come to it; None when there is nothing, or no room."""
    if folder.stage_marker(Stage.train).exists() or not folder.spec.exists():
        return None
    try:
        newest = newest_valid(folder.checkpoints)
        return zip_adapter(folder, newest.path, name=folder.read_spec().name) if newest else None
    except (OSError, ValueError):
        log.exception("%s: the adapter could not be packed", folder.path.name)
        return None
