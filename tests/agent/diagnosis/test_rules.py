import pytest

from agent.diagnosis.curve import LossCurve
from agent.diagnosis.rules import Case, diagnose
from shared.errors import ErrorCode
from shared.hyperparameters import Hyperparameters, ResolvedSettings

SETTINGS = ResolvedSettings(
    n_epochs=3, batch_size=16, per_device_train_batch_size=4, gradient_accumulation_steps=4, learning_rate=2e-4, r=16,
    lora_alpha=32, lora_dropout=0.1, target_modules="all-linear", load_in_4bit=True, max_length=512, warmup_steps=5,
    lr_scheduler_type="cosine", weight_decay=0.01, early_stopping_patience=3, eval_steps=10,
    activation_checkpointing=False,
)  # fmt: skip


def case(train: list[float], validation: list[tuple[int, float]], **changes: object) -> Case:
    curve = LossCurve(train=list(enumerate(train, start=1)), validation=validation, total_steps=len(train))
    fields: dict[str, object] = {"curve": curve, "settings": SETTINGS, "train_rows": 800, "answers": 8, "unstopped": 0}
    return Case(**(fields | changes))  # type: ignore[arg-type]


FALLING = [3.0 - 0.03 * n for n in range(60)]
GOOD = [(0, 3.0), (20, 2.4), (40, 2.0), (60, 1.9)]


def test_a_good_run_needs_no_advice() -> None:
    assert diagnose(case(FALLING, GOOD)) == []


@pytest.mark.parametrize(
    ("found", "rule", "number"),
    [
        (case(FALLING, [(0, 3.0), (20, 2.0), (40, 2.2), (60, 2.6)]), "overfitting", "step 20"),
        (case([3.0] * 60, [(0, 3.0), (30, 2.98), (60, 2.97)]), "underfitting", "2.97"),
        (case([*FALLING[:30], 9.5, *FALLING[31:]], GOOD), "unstable", "9.50"),
        (case(FALLING, GOOD, ended=ErrorCode.training_diverged), "nan", "0.0002"),
        (case(FALLING, GOOD, unstopped=3), "never-stops", "3 of 8"),
        (case(FALLING, GOOD, train_rows=30), "little-data", "30 rows"),
    ],
)
def test_each_symptom_gets_its_advice_with_the_number_that_showed_it(found: Case, rule: str, number: str) -> None:
    first = diagnose(found)[0]
    assert first.rule == rule
    assert number in first.message
    assert first.suggestion


def test_the_most_pressing_advice_comes_first() -> None:
    both = case(FALLING, [(0, 3.0), (20, 2.0), (40, 2.2), (60, 2.6)], train_rows=30)
    assert [advice.rule for advice in diagnose(both)] == ["overfitting", "little-data"]


@pytest.mark.parametrize(
    ("rows", "length", "r", "change", "suggestion"),
    [
        (4, 512, 16, {"per_device_train_batch_size": 2}, "2 rows at a time instead of 4"),
        (16, 512, 16, {"per_device_train_batch_size": 8}, "8 rows at a time instead of 16"),
        (1, 2048, 16, {"max_length": 1024}, "at 1024 tokens instead of 2048"),
        (1, 300, 16, {"max_length": 256}, "at 256 tokens instead of 300"),
        (1, 256, 16, {"r": 8}, "rank 8 instead of 16"),
        (1, 256, 8, {}, "choose a smaller model"),
    ],
)
def test_too_little_memory_is_met_by_what_costs_least(
    rows: int, length: int, r: int, change: dict[str, float], suggestion: str
) -> None:
    settings = SETTINGS.model_copy(update={"per_device_train_batch_size": rows, "max_length": length, "r": r})
    (advice,) = diagnose(case([3.0] * 6, [(0, 3.0)], settings=settings, ended=ErrorCode.insufficient_memory))
    assert advice.change == change
    assert suggestion in advice.suggestion
    assert Hyperparameters.model_validate(change)


def test_a_rising_train_loss_is_not_called_overfitting() -> None:
    rising = [3.0 - 0.05 * n for n in range(20)] + [2.0 + 0.05 * n for n in range(40)]
    found = diagnose(case(rising, [(0, 3.0), (20, 2.0), (40, 2.2), (60, 2.6)]))
    assert "overfitting" not in [advice.rule for advice in found]


def test_a_base_model_without_any_loss_left_is_judged_without_dividing_by_it() -> None:
    assert diagnose(case(FALLING, [(0, 0.0), (30, 0.0), (60, 0.0)])) == []


def test_figures_that_are_said_to_differ_look_different() -> None:
    (overfitting,) = diagnose(case(FALLING, [(0, 3.0), (12, 0.0401), (40, 0.0407), (60, 0.0414)]))
    assert "best at step 12 (0.040) and rose to 0.041 by step 60" in overfitting.message


@pytest.mark.parametrize(
    ("best", "message"),
    [
        (2.97, "fell from 3.00 to 2.97, by 1.0 %."),
        (2.996, "fell from 3.000 to 2.996, by 0.1 %."),
        (3.0, "stayed at 3.00."),
        (3.2, "rose from 3.00 to 3.20."),
    ],
)
def test_what_hardly_learned_says_which_way_it_went(best: float, message: str) -> None:
    (advice,) = diagnose(case([3.0] * 60, [(0, 3.0), (60, best)]))
    assert advice.message == f"The loss on unseen rows {message}"
