"""The folder in which agent and trainer meet: layout, spec, events, checkpoints, durable writes.

Starts no process and loads no weights.
"""
