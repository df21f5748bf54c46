"""Every command, one module each. COMMANDS is the one ordered table that front-ends register from."""

from bot.commands import cancel, finetune, jobs, log, models, pause, plot, resume, status
from bot.commands import help as help_
from bot.core import Command

COMMANDS: tuple[Command, ...] = (
    finetune.COMMAND,
    status.COMMAND,
    jobs.COMMAND,
    plot.COMMAND,
    log.COMMAND,
    pause.COMMAND,
    resume.COMMAND,
    cancel.COMMAND,
    models.COMMAND,
    help_.COMMAND,
)
