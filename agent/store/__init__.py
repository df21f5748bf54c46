"""What the agent must not forget: people, files, plans, jobs, events, in one SQLite file with one writer thread.

Decides nothing about rights or turns.
"""

from agent.store.store import Store

__all__ = ["Store"]
