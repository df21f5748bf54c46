"""`make run`: an agent and a bot on one machine, with the settings of `.env`.

The agent stops with the bot, and one that dies is started again.
"""

import os
import signal
import subprocess
import sys
from types import FrameType
from typing import NoReturn

from bot.errors import BotError
from bot.launch.local_agent import agent_listens, running_agent, stop_process
from bot.settings import Settings, load_settings


def main() -> int:
    """Start what is not running yet; return the bot's exit code."""
    signal.signal(signal.SIGTERM, _leave)
    try:
        settings = load_settings()
        if settings.remote_url is not None:
            _say(f"The agent is expected at {settings.remote_url} (HEARTH_AGENT_URL), so none is started here.")
            return _run_bot()
        return _run_both(settings)
    except BotError as error:
        _say(error.message)
        return 2
    except KeyboardInterrupt:
        return 130


def _run_both(settings: Settings) -> int:
    if agent_listens(settings.data_dir):
        _say("An agent is running already; the bot joins it.")
        return _run_bot()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    log = settings.data_dir / "agent.log"
    with running_agent(settings.data_dir, log, os.environ) as agent:
        _say(f"The agent is up; its log is {log}. End with Ctrl-D; a running training goes on without it.")
        code = _run_bot()
        agent.check()
        return code


def _run_bot() -> int:
    bot = subprocess.Popen([sys.executable, "-m", "bot"])
    try:
        return bot.wait()
    finally:
        stop_process(bot)


def _leave(_signal: int, _frame: FrameType | None) -> NoReturn:
    """Unwind, which stops what was started here. Once: a second SIGTERM must not cut that short."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(0)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
