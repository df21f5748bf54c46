"""The start of a child that reads for the agent: `python -m agent.children MODULE` imports it and runs its `main`."""

import gc
import sys
from importlib import import_module

from shared.imports import collector_paused

with collector_paused():
    main = import_module(sys.argv[1]).main
gc.freeze()  # all of it stays

if __name__ == "__main__":
    main()
