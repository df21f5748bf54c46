"""Hands out the trained adapter, however the job ends."""

from pathlib import Path

from agent.export.adapter_zip import zip_adapter
from agent.job_folder.checkpoint_files import newest_valid
from agent.pipeline.context import Context
from shared.jobs import Stage


def hand_out_adapter(context: Context, source: Path) -> None:
    """Pack the adapter in `source` and announce it."""
    context.announce(zip_adapter(context.folder, source, name=context.spec.name))


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
    newest = newest_valid(context.folder.checkpoints)
    if newest is not None:
        hand_out_adapter(context, newest.path)
    return newest is not None
