import platform

import pytest

from agent.children.environment import ALLOCATOR, GROWING, OLDER_NAME, child_environment


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ALLOCATOR, raising=False)
    monkeypatch.delenv(OLDER_NAME, raising=False)
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(platform, "release", lambda: "6.8.0-45-generic")


def test_a_trainers_memory_on_the_gpu_may_grow_where_it_lies() -> None:
    assert child_environment(offline=True)[ALLOCATOR] == GROWING


@pytest.mark.parametrize(
    ("system", "release"), [("Linux", "5.15.90.1-microsoft-standard-WSL2"), ("Windows", "11"), ("Darwin", "24.1")]
)
def test_it_does_not_where_drivers_fail_at_it(monkeypatch: pytest.MonkeyPatch, system: str, release: str) -> None:
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "release", lambda: release)
    assert ALLOCATOR not in child_environment(offline=True)


def test_what_the_owner_sets_for_the_allocator_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OLDER_NAME, "expandable_segments:False")
    assert child_environment(offline=True)[ALLOCATOR] == "expandable_segments:False"
    monkeypatch.setenv(ALLOCATOR, "max_split_size_mb:128")
    assert child_environment(offline=True)[ALLOCATOR] == "max_split_size_mb:128"
    monkeypatch.setenv(ALLOCATOR, "")
    assert ALLOCATOR not in child_environment(offline=True)
