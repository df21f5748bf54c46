"""`hearth-agent`, or `python -m agent`: import what the agent needs, then be it."""

import gc
import sys

from shared.imports import collector_paused

with collector_paused():
    from agent.serve import main
gc.freeze()  # all of it stays

if __name__ == "__main__":
    sys.exit(main())
