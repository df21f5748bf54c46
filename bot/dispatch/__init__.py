"""From a call to its answer: which command, on whose behalf, how often, and what is said when it fails.

Knows no platform.
"""
