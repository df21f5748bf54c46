"""`hearth-bot`, or `python -m bot`: imports the bot, then runs it."""

import gc
import sys

from shared.imports import collector_paused

with collector_paused():
    from bot.serve import main
gc.freeze()  # all of it stays

if __name__ == "__main__":
    sys.exit(main())
