"""Kinds of adapters: what is chosen and why, what does not go together, what each takes of memory and time."""

from dataclasses import replace
from typing import Any

import pytest

from agent.base_models.known import KNOWN
from agent.base_models.shape import ModelShape
from agent.errors import AgentError
from agent.methods.table import METHODS
from agent.plan.adapter import Adapter, choose_adapter, linear_names
from agent.plan.duration import slower_by
from agent.plan.memory import estimate_memory
from agent.plan.precision import choose_precision
from agent.plan.presets import RULES
from agent.plan.setup import TrainingSetup
from shared.errors import ErrorCode
from shared.hyperparameters import Body, Hyperparameters, Method, MethodType, ResolvedSettings
from shared.plans import PlanRequest, Preset
from tests.agent.plan.cases import card_of, findings, machine, planned

SHAPE = min(KNOWN, key=lambda model: model.parameters).shape
CARD = card_of(SHAPE, name="tiny")


def chosen(type: MethodType = "supervised", **wishes: Any) -> Adapter:
    asked = Hyperparameters.model_validate(wishes)
    return choose_adapter(asked, METHODS[type], RULES[Preset.balanced], CARD)


def reason(adapter: Adapter, name: str) -> str:
    return next(setting.reason for setting in adapter.reasons if setting.name == name)


def settings(**wishes: Any) -> ResolvedSettings:
    method = Method(supervised=Body(hyperparameters=Hyperparameters.model_validate(wishes)))
    request = PlanRequest(model=CARD.name, training_file="file-1", method=method)
    return planned(request, CARD, findings(), machine()).settings


def test_nothing_said_is_plain_lora() -> None:
    adapter = chosen()
    assert (adapter.use_rslora, adapter.use_dora, adapter.init_lora_weights) == (False, False, True)
    assert (adapter.loraplus_lr_ratio, adapter.neftune_noise_alpha, adapter.lora_alpha) == (1, 0, 32)
    assert all(setting.reason for setting in adapter.reasons)


@pytest.mark.parametrize(
    ("wishes", "name", "value", "why"),
    [
        ({"use_rslora": True, "r": 64}, "lora_alpha", 8, "root of the rank"),
        ({"init_lora_weights": "pissa", "r": 8}, "lora_alpha", 8, "begins as the part"),
        ({"init_lora_weights": "olora"}, "lora_dropout", 0, "would be dropped with it"),
        ({"use_dora": True}, "lora_dropout", 0, "compute every layer twice"),
        ({"use_dora": True, "lora_dropout": 0.1}, "lora_dropout", 0.1, "as you asked"),
        ({"use_dora": False}, "use_dora", False, "as you asked"),
        ({"loraplus_lr_ratio": 16}, "loraplus_lr_ratio", 16, "as you asked"),
    ],
)
def test_what_follows_from_a_kind_is_said(wishes: dict[str, Any], name: str, value: object, why: str) -> None:
    adapter = chosen(**wishes)
    assert getattr(adapter, name) == value
    assert why in reason(adapter, name)


@pytest.mark.parametrize(
    ("wishes", "param", "said"),
    [
        (
            {"target_modules": ["q_proj", "q_proy"]},
            "target_modules",
            r"names q_proy, and tiny has no .* q_proj, k_proj",
        ),
        ({"target_modules": ["lm_head"]}, "target_modules", "names lm_head.*Choose among them, or “all-linear”"),
        ({"layers_to_transform": [0, 99]}, "layers_to_transform", "layer 99, and tiny has 30 layers, from 0 to 29"),
        ({"init_lora_weights": "pissa", "use_dora": True}, "init_lora_weights", "pissa and use_dora is true"),
        ({"neftune_noise_alpha": 5, "type": "dpo"}, "neftune_noise_alpha", "is 5, and the method dpo.*supervised"),
        ({"neftune_noise_alpha": 5, "type": "kto"}, "neftune_noise_alpha", "is 5, and the method kto"),
        ({"lora_dropout": 0.1, "type": "dpo"}, "lora_dropout", "lora_dropout is 0.1"),
    ],
)
def test_what_does_not_go_together_is_refused_with_a_way_on(wishes: dict[str, Any], param: str, said: str) -> None:
    with pytest.raises(AgentError, match=said) as refused:
        chosen(**wishes)
    assert (refused.value.code, refused.value.param) == (ErrorCode.setting_invalid, param)


@pytest.mark.parametrize(
    ("wishes", "held_in", "why"),
    [
        ({}, "nf4", "quarter of the memory"),
        ({"load_in_8bit": True}, "int8", "because you asked for 8 bits"),
        ({"load_in_4bit": False}, "original", "as you asked"),
        ({"init_lora_weights": "pissa"}, "original", "no: pissa takes a part"),
        ({"init_lora_weights": "gaussian"}, "nf4", "quarter of the memory"),
    ],
)
def test_the_base_is_held_in_few_bits_unless_that_cannot_be(wishes: dict[str, Any], held_in: str, why: str) -> None:
    found, reasons = choose_precision(Hyperparameters.model_validate(wishes))
    assert found == held_in == settings(**wishes).held_in
    assert why in reasons[0].reason


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"load_in_4bit": True, "load_in_8bit": True}, "both true.*Leave one to “auto”"),
        ({"use_dora": True, "load_in_8bit": True}, "use_dora is true.*Leave load_in_8bit to “auto”"),
        ({"init_lora_weights": "pissa", "load_in_4bit": True}, "is pissa.*by load_in_4bit. Leave load_in_4bit to"),
        ({"init_lora_weights": "olora", "load_in_8bit": True}, "is olora.*by load_in_8bit. Leave load_in_8bit to"),
    ],
)
def test_bits_that_cannot_be_are_refused_with_a_way_on(wishes: dict[str, Any], said: str) -> None:
    with pytest.raises(AgentError, match=said) as refused:
        settings(**wishes)
    assert refused.value.code is ErrorCode.setting_invalid


def test_a_card_that_says_no_names_is_checked_by_its_build_where_that_is_known() -> None:
    other = CARD.model_copy(update={"shape": ModelShape.model_validate(SHAPE.model_dump() | {"model_type": "new"})})
    assert linear_names(other) is None
    assert linear_names(other.model_copy(update={"linear_names": ["mix"]})) == ["mix"]


def test_the_plan_carries_what_was_asked() -> None:
    made = settings(use_dora=True, use_rslora=True, loraplus_lr_ratio=4, neftune_noise_alpha=5, lora_alpha=16, r=16)
    assert (made.use_dora, made.use_rslora, made.loraplus_lr_ratio, made.neftune_noise_alpha) == (True, True, 4, 5)
    assert made.scale == 4
    moved = settings(init_lora_weights="pissa")
    assert (moved.init_lora_weights, moved.weight_decay, moved.scale) == ("pissa", 0, 1)


def test_layers_by_number_are_trained_by_name_and_take_less() -> None:
    made = settings(layers_to_transform=[29, 28, 28])
    assert made.layers_to_transform == [28, 29]
    assert made.target_modules == [linear.name for linear in SHAPE.linears]
    setup = TrainingSetup(device="cuda", rows=1, length=128)
    of_two, of_all = (estimate_memory(SHAPE, replace(setup, adapted_layers=n)) for n in (2, None))
    assert of_two.optimizer == pytest.approx(of_all.optimizer * 2 / 30)


def test_settings_of_before_are_plain_lora() -> None:
    stored = settings().model_dump()
    for name in ("use_rslora", "use_dora", "init_lora_weights", "loraplus_lr_ratio", "neftune_noise_alpha",
                 "layers_to_transform", "load_in_8bit"):  # fmt: skip
        del stored[name]
    assert ResolvedSettings.model_validate(stored) == settings()


def test_dora_and_a_kept_beginning_take_memory_and_time() -> None:
    setup = TrainingSetup(device="cuda", rows=2, length=512, dropout=False)
    plain, dora = (estimate_memory(SHAPE, replace(setup, use_dora=it)) for it in (False, True))
    assert dora.optimizer - plain.optimizer == pytest.approx(
        8 * sum(it.outputs for it in SHAPE.linears) * SHAPE.layers / 2**20
    )
    assert dora.activations > plain.activations
    assert estimate_memory(SHAPE, replace(setup, use_dora=True, dropout=True)).total > dora.total
    moved = estimate_memory(SHAPE, replace(setup, moves_base=True))
    assert (moved.lora, moved.optimizer) == (2 * plain.lora, plain.optimizer)
    least, most = slower_by(settings(use_dora=True))
    assert 1 < least < most
    assert slower_by(settings()) == (1, 1)
