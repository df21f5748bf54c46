"""Importing much at once, sooner; and not importing what is only named."""

import gc
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def collector_paused() -> Iterator[None]:
    """Import in here what is large: the garbage collector would look through all of it many times, and find nothing.

    It takes an eighth to a sixth off a start.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def named_only(name: str, **values: Any) -> Iterator[None]:
    """Let what is imported in here import the library `name` without its being run: of it there are `values` alone.

    They keep those as long as this process lives; whoever imports the library after this gets the real one.
    """
    spec = None if name in sys.modules else importlib.util.find_spec(name)
    if spec is None:
        yield
        return
    sys.modules[name] = importlib.util.module_from_spec(spec)
    vars(sys.modules[name]).update(values)
    try:
        yield
    finally:
        del sys.modules[name]
