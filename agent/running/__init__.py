"""A job's life: claimed, started, watched, adopted, paused, cancelled, tried again.

Trains nothing in its own process.
"""
