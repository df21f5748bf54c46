"""The trained adapter as a result file: one zip that PEFT users unpack. Loads nothing."""

import zipfile
from pathlib import Path

from agent.job_folder import ADAPTER_FILE, JobFolder


def zip_adapter(folder: JobFolder, source: Path, *, name: str) -> Path:
    """Pack the adapter in `source` into export/NAME-adapter.zip and return it."""
    out = folder.export / f"{name}-adapter.zip"
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED, strict_timestamps=False) as archive:
        for part in (ADAPTER_FILE, "adapter_config.json"):
            archive.write(source / part, part)
    return out
