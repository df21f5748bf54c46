"""The time zone that a test lives in."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def living_in(zone: str) -> Iterator[None]:
    """Show this process's times as the clocks of a zone do, named as the IANA database names it."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = zone
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()
