"""Where things lie by default, for the two sides that share a machine."""

from pathlib import Path
from typing import Annotated

import platformdirs
from pydantic import AfterValidator

KEY_FILE = "agent.key"  # the owner's key, in the agent's data folder, mode 0600
BOT_KEY_FILE = "bot.key"  # beside it: the key of the bots on this machine
ADDRESS_FILE = "agent.address"  # beside them: host:port of the running agent


def _whole(path: Path) -> Path:
    try:
        return path.expanduser().absolute()
    except RuntimeError as cause:
        raise ValueError(f"a folder that I can find: {cause}") from cause


Folder = Annotated[Path, AfterValidator(_whole)]  # a setting: `~` expanded, made absolute


def default_data_dir() -> Path:
    """Return the folder in which the agent stores everything, unless HEARTH_DATA_DIR says otherwise."""
    return Path(platformdirs.user_data_dir("hearth", appauthor=False))


def default_bot_dir() -> Path:
    """Return the folder of the bot's own small database, unless HEARTH_BOT_DIR says otherwise."""
    return Path(platformdirs.user_data_dir("hearth-bot", appauthor=False))
