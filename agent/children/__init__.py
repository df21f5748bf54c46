"""How a child process is run: its environment, limits, sandbox, network and priority.

Knows nothing of what a child does.
"""
