"""Whose job runs next and when, whether a failed one is tried again, and the timers.

Starts no process, writes no row.
"""
