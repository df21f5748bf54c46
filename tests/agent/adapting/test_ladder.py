"""What a run gives up when its memory is not enough, in order, down to the floor."""

from dataclasses import replace
from typing import Any

import pytest

from agent.adapting.ladder import Rung, Strait, next_rung
from shared.hyperparameters import ResolvedSettings
from shared.jobs import Stage
from tests.fakes.agent_server import SETTINGS

LARGE = SETTINGS.model_copy(
    update={
        "batch_size": 12, "per_device_train_batch_size": 6, "gradient_accumulation_steps": 2, "load_in_4bit": False,
        "max_length": 600, "r": 16, "lora_alpha": 32, "activation_checkpointing": False,
    }
)  # fmt: skip


def rungs(strait: Strait) -> list[Rung]:
    """Go down to the floor."""
    found: list[Rung] = []
    while (rung := next_rung(strait)) is not None:
        found.append(rung)
        strait = replace(strait, settings=strait.settings.model_copy(update=rung.settings), **rung.spec)
        assert len(found) < 40
    return found


def in_training(settings: ResolvedSettings = LARGE, **more: Any) -> Strait:
    return Strait(**{"stage": Stage.train, "settings": settings, "device": "cpu", "rows": 100, **more})


def test_what_costs_least_goes_first_and_the_effective_batch_stays() -> None:
    down = rungs(in_training())
    assert [list(rung.settings) for rung in down] == [
        ["per_device_train_batch_size", "gradient_accumulation_steps"],
        ["per_device_train_batch_size", "gradient_accumulation_steps"],
        ["activation_checkpointing"],
        ["load_in_4bit", "load_in_8bit"],
        ["max_length"],
        ["max_length"],
        ["max_length"],
        ["r", "lora_alpha"],
        ["r", "lora_alpha"],
    ]
    assert [tuple(rung.settings.values()) for rung in down[:2]] == [(3, 4), (1, 12)]
    assert [rung.settings["max_length"] for rung in down[4:7]] == [448, 320, 256]
    assert [rung.settings["r"] for rung in down[7:]] == [8, 4]
    assert [rung.starts_over for rung in down] == [False, False, False, True, True, True, True, True, True]
    assert [rung.reads_again for rung in down] == [False] * 4 + [True] * 3 + [False] * 2


def test_before_anything_trained_is_given_up_it_tries_once_more() -> None:
    down = rungs(in_training(trained=True))
    assert [rung.spec for rung in down[3:5]] == [{"tried_again": True}, {}]
    assert [rung.starts_over for rung in down[3:5]] == [False, True]


def test_where_memory_is_but_a_guess_nothing_trained_is_given_up() -> None:
    assert [rung.starts_over for rung in rungs(in_training(gently=True))] == [False, False, False]
    assert rungs(in_training(LARGE.model_copy(update={"per_device_train_batch_size": 1}), gently=True, rows=0))


def test_rows_that_nobody_counted_are_not_cut() -> None:
    assert not any(rung.reads_again for rung in rungs(in_training(rows=0)))


def test_a_loss_that_is_no_sum_of_its_parts_learns_nearly_the_same() -> None:
    assert rungs(in_training(exact=False))[0].said.endswith("; it learns nearly the same, and takes longer")


def test_a_gpu_has_one_rung_more() -> None:
    assert rungs(in_training(device="cuda"))[-1].settings == {"optim": "paged_adamw_8bit"}


def test_rows_are_not_cut_where_most_answers_would_lose_their_end() -> None:
    cut = {448: 10, 320: 41}
    down = rungs(in_training(longer_than=lambda length: cut[length]))
    shorter = [rung for rung in down if "max_length" in rung.settings]
    assert [rung.said for rung in shorter] == ["rows are cut at 448 tokens in place of 600, which shortens 10 rows"]


@pytest.mark.parametrize(
    ("stage", "device", "changes"),
    [
        (Stage.load, "cpu", [{"load_in_4bit": True, "load_in_8bit": False}]),
        (Stage.evaluate, "cpu", [{"evaluation_rows": 3}, {"evaluation_rows": 1}]),
        (Stage.verify, "cuda", []),
        (Stage.prepare, "cpu", []),
        (Stage.export, "cpu", []),
    ],
)
def test_each_stage_has_its_own_way_down(stage: Stage, device: str, changes: list[dict[str, Any]]) -> None:
    down = rungs(in_training(stage=stage, device=device))
    assert [{**rung.settings, **rung.spec} for rung in down] == changes
