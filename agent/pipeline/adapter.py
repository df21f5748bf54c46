"""The trained adapter as a result file: one zip that PEFT users unpack, handed out however the job ends."""

import zipfile
from pathlib import Path

from agent.job_folder import ADAPTER_FILE
from agent.pipeline.context import Context
from shared.jobs import Stage


def hand_out_adapter(context: Context, folder: Path) -> None:
    """Pack the adapter in `folder` into export/NAME-adapter.zip and announce it."""
    out = context.folder.export / f"{context.spec.name}-adapter.zip"
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in (ADAPTER_FILE, "adapter_config.json"):
            archive.write(folder / name, name)
    context.announce(out)


def keep_what_was_trained(context: Context, *, as_it_is: bool) -> bool:
    """Hand out what an unfinished training has; say whether there is something.

    `as_it_is`: the weights in memory (a cancel); else the newest checkpoint (a failure may have broken them).
    """
    if context.folder.stage_marker(Stage.train).exists():
        return True  # handed out at the end of the training
    if as_it_is and context.model is not None and context.trained_steps > 0:
        context.model.save_adapter(context.folder.adapter)
        hand_out_adapter(context, context.folder.adapter)
        return True
    if not any(context.folder.checkpoints.glob("step-*")):
        return False
    from agent.pipeline.checkpoints import newest_valid

    newest = newest_valid(context.folder.checkpoints)
    if newest is not None:
        hand_out_adapter(context, newest.path)
    return newest is not None
