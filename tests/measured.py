"""Measures lines and branches of agent, bot and shared while the tests run: `pytest -p tests.measured`.

SlipCover takes a probe out once its line was seen, so a test that runs the same lines a million times pays once:
with coverage.py the same tests took half as much time again. Each worker writes what it saw; `tests.covered` adds up.
What tests start as processes of their own is not measured.
"""

import json
import os
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

import pytest
import slipcover
from slipcover.importer import SlipcoverLoader

PACKAGES = ("agent", "bot", "shared")
SEEN = ".venv/coverage-{worker}.json"


class Finder(MetaPathFinder):
    """Finds the modules of the packages, with probes."""

    def __init__(self, probes: slipcover.Slipcover) -> None:
        self._probes = probes

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return a module's spec; None for what is not measured."""
        if fullname.partition(".")[0] not in PACKAGES:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None and spec.origin is not None:
            spec.loader = SlipcoverLoader(self._probes, spec.loader, spec.origin)
        return spec


WORKER = os.environ.get("PYTEST_XDIST_WORKER")
PROBES = slipcover.Slipcover(branch=True, source=list(PACKAGES), exclude_also=["if TYPE_CHECKING:"])
if WORKER is not None:
    sys.meta_path.insert(0, Finder(PROBES))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write what this worker saw."""
    if WORKER is not None:
        Path(SEEN.format(worker=WORKER)).write_text(json.dumps(PROBES.get_coverage()), encoding="utf-8")
