"""Frees disk, in a stated order, and warns when that was not enough.

1. Temporary files of jobs that have ended.
2. Checkpoints of ended jobs that are neither the best nor the newest: after HEARTH_KEEP_DAYS, or when disk is short.
3. When disk is short: base models that no unfinished job needs and that can be fetched again, the oldest first.

Never touched: the best and the newest checkpoint, anything of an unfinished job, datasets, results, one's own models.
"""

import contextlib
import logging
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from agent.job_folder.checkpoint_files import STAGING, list_checkpoints, read_counts, remove, superseded
from agent.job_folder.folder import JobFolder
from agent.machine.gpu import MIB
from shared.language import _, decimal

log = logging.getLogger(__name__)

DAY_S = 24 * 3600
FETCHED = ("hub--*", "packaged--*")  # base models that can be had again


class Kind(IntEnum):
    """What can be removed, in the order in which it goes."""

    temporary = 1
    checkpoint = 2
    base_model = 3


@dataclass(frozen=True, kw_only=True)
class EndedJob:
    """A job that has ended, as retention sees it."""

    folder: JobFolder
    finished_at: float


@dataclass(frozen=True, kw_only=True)
class Removable:
    """Something that may go."""

    path: Path
    kind: Kind
    mib: float
    since: float  # seconds since 1970; the oldest of a kind goes first


@dataclass(frozen=True, kw_only=True)
class RetentionRules:
    """The owner's settings."""

    keep_days: int
    floor_mib: int  # of free disk: under it, disk is short


def choose(found: Iterable[Removable], *, rules: RetentionRules, free_mib: float, now: float) -> list[Removable]:
    """Return what is to go now: what is due anyway, then as much as it takes to reach the floor. Pure."""
    chosen: list[Removable] = []
    for item in sorted(found, key=lambda item: (item.kind, item.since)):
        old = item.kind is Kind.checkpoint and now - item.since > rules.keep_days * DAY_S
        short = free_mib + sum(each.mib for each in chosen) < rules.floor_mib
        if item.kind is Kind.temporary or old or short:
            chosen.append(item)
    return chosen


def find_removable(ended: Iterable[EndedJob], base_models: Path, *, needed: set[Path]) -> list[Removable]:
    """Look what of ended jobs and fetched base models may go; `needed` are the model folders in use."""
    found: list[Removable] = []
    for job in ended:
        paths = [job.folder.path / "tmp", job.folder.path / "trainer", *job.folder.checkpoints.glob(f"{STAGING}*")]
        found += [_removable(path, Kind.temporary, job.finished_at) for path in paths if path.exists()]
        found += [_removable(path, Kind.checkpoint, job.finished_at) for path in _superseded(job.folder)]
    for pattern in FETCHED:
        models = (path for path in base_models.glob(pattern) if path not in needed)
        found += [_removable(path, Kind.base_model, path.stat().st_mtime) for path in models]
    return found


@dataclass(frozen=True, kw_only=True)
class Short:
    """A disk with too little room, after all was freed that may be."""

    free_mib: float
    floor_mib: int
    freed_mib: float
    data_dir: Path

    def text(self) -> str:
        """Return what its owner reads, in their language."""
        freed = _(" {freed} MiB were freed already.", freed=decimal(self.freed_mib, 0)) if self.freed_mib else ""
        return _(
            "The disk of the GPU machine has {free_mib} MiB free, less than the {floor_mib} MiB of "
            "HEARTH_DISK_FLOOR_MIB.{freed} Delete old results, or give {data_dir} a larger disk.",
            free_mib=decimal(self.free_mib, 0),
            floor_mib=self.floor_mib,
            freed=freed,
            data_dir=self.data_dir,
        )


class Retention:
    """Sweeps now and then, and remembers what the owner should see to."""

    def __init__(self, *, rules: RetentionRules, data_dir: Path, base_models: Path, clock: Callable[[], float]) -> None:
        self._rules = rules
        self._data_dir = data_dir
        self._base_models = base_models
        self._clock = clock
        self._short: Short | None = None

    def warnings(self) -> list[str]:
        """Return what the last sweep could not mend."""
        return [self._short.text()] if self._short is not None else []

    def sweep(self, ended: Iterable[EndedJob], needed: set[Path]) -> list[Removable]:
        """Free what is due, and what it takes; return what went. Blocking: call it in a thread."""
        found = find_removable(ended, self._base_models, needed=needed)
        gone = choose(found, rules=self._rules, free_mib=self._free_mib(), now=self._clock())
        for item in gone:
            log.info("removing %s (%s, %.0f MiB)", item.path, item.kind.name, item.mib)
            with contextlib.suppress(OSError):  # gone already, or in the way of somebody: the next sweep sees
                remove(item.path) if item.kind is Kind.checkpoint else shutil.rmtree(item.path)
        self._short = self._look(gone)
        return gone

    def _look(self, gone: list[Removable]) -> Short | None:
        free_mib = self._free_mib()
        if free_mib >= self._rules.floor_mib:
            return None
        freed_mib = sum(item.mib for item in gone)
        short = Short(free_mib=free_mib, floor_mib=self._rules.floor_mib, freed_mib=freed_mib, data_dir=self._data_dir)
        log.warning("%s", short.text())
        return short

    def _free_mib(self) -> float:
        return shutil.disk_usage(self._data_dir).free / MIB


def _superseded(folder: JobFolder) -> list[Path]:
    found = list_checkpoints(folder.checkpoints)
    if len(found) <= 1:
        return []
    try:
        best_step = read_counts(found[-1]).best_step
    except (OSError, ValueError):
        return []  # which is the best cannot be read, so all stay
    return [checkpoint.path for checkpoint in superseded(folder.checkpoints, best_step=best_step, keep_newest=1)]


def _removable(path: Path, kind: Kind, since: float) -> Removable:
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file() and not file.is_symlink())
    return Removable(path=path, kind=kind, mib=size / MIB, since=since)
