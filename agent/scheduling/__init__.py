"""Whose job runs next and when, and whether it is tried again: pure, but for the clock that rings."""
