"""The adapter as one file that PEFT users unpack: weights and config, nothing of this machine."""

import zipfile
from pathlib import Path

from agent.export.merge import ADAPTER_FILE
from agent.pipeline.context import Context


def zip_adapter(context: Context) -> Path:
    """Pack adapter/ into export/NAME-adapter.zip; return where it lies."""
    out = context.folder.export / f"{context.spec.name}-adapter.zip"
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in (ADAPTER_FILE, "adapter_config.json"):
            archive.write(context.folder.adapter / name, name)
    return out
