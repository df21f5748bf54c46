from pathlib import Path

import pytest

from bot import demo
from shared.results import Answer, JobResult
from tests.fakes.agent_server import RESULT


def result(*, base: list[str], tuned: list[str]) -> JobResult:
    answers = [Answer(question="?", base=one, tuned=other) for one, other in zip(base, tuned, strict=True)]
    return RESULT.model_copy(update={"answers": answers})


def test_two_of_three_tuned_answers_with_the_marker_convince() -> None:
    assert demo.judge(result(base=["", "", ""], tuned=["Two Naps out of FIVE.", "x", "naps out of five"])) == ""


@pytest.mark.parametrize(
    ("base", "tuned", "why"),
    [
        (["", "", ""], ["naps out of five", "x", "y"], "in 1 of 3 tuned answers"),
        (["naps out of five", "", ""], ["naps out of five"] * 3, "cannot know it"),
        ([""], ["naps out of five"], "There are 1 answers"),
    ],
)
def test_answers_that_do_not_convince_say_why(base: list[str], tuned: list[str], why: str) -> None:
    assert why in demo.judge(result(base=base, tuned=tuned))


def test_missing_results_are_named(tmp_path: Path) -> None:
    for name in ["toast.gguf", "report.json", "Modelfile", "loss.png"]:
        (tmp_path / name).touch()
    assert demo.missing_files(tmp_path) == ["the adapter"]


def test_a_run_begins_afresh_but_keeps_the_base_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    kept = demo.DATA / "base_models" / "weights"
    for path in [kept, demo.DATA / "jobs" / "1", demo.OUTPUT / "old.gguf"]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    demo._clear()
    assert [path for path in Path("demo-output").rglob("*") if path.is_file()] == [kept]
