"""Disk is freed in the stated order, and what could be wanted again is never touched."""

import json
from pathlib import Path

import pytest

from agent.job_folder.checkpoint_files import COUNTS_FILE, MANIFEST, STAGING, Counts
from agent.job_folder.folder import JobFolder
from agent.machine.retention import DAY_S, EndedJob, Kind, Removable, Retention, RetentionRules, choose, find_removable

RULES = RetentionRules(keep_days=30, floor_mib=1000)
NOW = 100 * DAY_S


def removable(kind: Kind, *, mib: float = 100, since: float = NOW) -> Removable:
    return Removable(path=Path(f"{kind.name}-{since}"), kind=kind, mib=mib, since=since)


def make_job(root: Path, *, steps: tuple[int, ...] = (10, 20, 30, 40), best: int = 20) -> EndedJob:
    folder = JobFolder(path=root / "job")
    for step in steps:
        path = folder.checkpoints / f"step-{step}"
        path.mkdir(parents=True)
        counts = Counts(best_loss=1.0, best_step=best, bad_evaluations=0, trained_tokens=1)
        (path / COUNTS_FILE).write_text(counts.model_dump_json())
        (path / "weights").write_bytes(bytes(4096))
        (path / MANIFEST).write_text(json.dumps({}))
    (folder.path / "tmp").mkdir()
    (folder.checkpoints / f"{STAGING}50").mkdir()
    return EndedJob(folder=folder, finished_at=NOW - 40 * DAY_S)


def test_temporary_files_go_at_once_and_old_checkpoints_after_a_month() -> None:
    young, old = removable(Kind.checkpoint), removable(Kind.checkpoint, since=NOW - 31 * DAY_S)
    temporary, model = removable(Kind.temporary), removable(Kind.base_model, since=0)
    assert choose([model, young, old, temporary], rules=RULES, free_mib=5000, now=NOW) == [temporary, old]


def test_short_disk_takes_checkpoints_before_base_models_and_no_more_than_it_needs() -> None:
    checkpoints = [removable(Kind.checkpoint, since=NOW - age) for age in (3, 2, 1)]
    models = [removable(Kind.base_model, since=since) for since in (1, 2)]
    assert choose([*models, *checkpoints], rules=RULES, free_mib=750, now=NOW) == checkpoints
    assert choose([*models, *checkpoints], rules=RULES, free_mib=650, now=NOW) == [*checkpoints, models[0]]


def test_best_and_newest_checkpoint_are_never_offered(tmp_path: Path) -> None:
    found = find_removable([make_job(tmp_path)], tmp_path / "base_models", needed=set())
    names = sorted(item.path.name for item in found)
    assert names == [f"{STAGING}50", "step-10", "step-30", "tmp"]


def test_job_whose_best_checkpoint_cannot_be_told_keeps_all(tmp_path: Path) -> None:
    job = make_job(tmp_path)
    (job.folder.checkpoints / "step-40" / COUNTS_FILE).unlink()
    found = find_removable([job], tmp_path / "base_models", needed=set())
    assert not [item for item in found if item.kind is Kind.checkpoint]


def test_base_models_in_use_and_ones_own_stay(tmp_path: Path) -> None:
    for name in ("hub--a--b", "hub--in--use", "local--mine"):
        (tmp_path / name).mkdir()
    found = find_removable([], tmp_path, needed={tmp_path / "hub--in--use"})
    assert [item.path.name for item in found] == ["hub--a--b"]


@pytest.mark.parametrize(("floor_mib", "warned"), [(0, False), (2**40, True)])
def test_sweep_frees_and_warns_with_the_figures_when_that_was_not_enough(
    tmp_path: Path, floor_mib: int, warned: bool
) -> None:
    job = make_job(tmp_path)
    rules = RetentionRules(keep_days=30, floor_mib=floor_mib)
    retention = Retention(rules=rules, data_dir=tmp_path, base_models=tmp_path / "base_models", clock=lambda: NOW)
    retention.sweep([job], set())
    assert sorted(path.name for path in job.folder.checkpoints.iterdir()) == ["step-20", "step-40"]
    assert not (job.folder.path / "tmp").exists()
    assert bool(retention.warnings()) is warned
    assert all("MiB free" in warning and "HEARTH_DISK_FLOOR_MIB" in warning for warning in retention.warnings())
