"""What the agent must not forget: files, inspections, plans, jobs, events. One SQLite file, one writer thread."""

from agent.store.store import Store

__all__ = ["Store"]
