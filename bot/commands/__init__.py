"""Every command, one module each.

COMMANDS is the one ordered table that front-ends register from; no command knows its platform.
"""

from bot.commands import (
    allow,
    cancel,
    chat,
    dataset,
    delete,
    deny,
    finetune,
    gpu,
    jobs,
    log,
    models,
    pair,
    pause,
    plot,
    queue,
    resume,
    retry,
    settings,
    share,
    status,
    try_,
    who,
)
from bot.commands import help as help_
from bot.dispatch.command import Command

COMMANDS: tuple[Command, ...] = (
    finetune.COMMAND,
    dataset.COMMAND,
    models.COMMAND,
    status.COMMAND,
    queue.COMMAND,
    jobs.COMMAND,
    plot.COMMAND,
    log.COMMAND,
    pause.COMMAND,
    resume.COMMAND,
    cancel.COMMAND,
    retry.COMMAND,
    delete.COMMAND,
    chat.COMMAND,
    share.COMMAND,
    try_.COMMAND,
    gpu.COMMAND,
    pair.COMMAND,
    allow.COMMAND,
    deny.COMMAND,
    who.COMMAND,
    settings.COMMAND,
    help_.COMMAND,
)
