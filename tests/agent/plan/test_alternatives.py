"""No refusal without a way on, and every way on really fits."""

from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.base_models.card import shape_of
from agent.base_models.known import KNOWN, KnownModel
from agent.errors import AgentError
from agent.plan.alternatives import (
    TOO_LITTLE,
    MakePlan,
    offer_of_another,
    offers_of_longer_rows,
    offers_of_this_model,
)
from agent.plan.memory import estimate_memory
from agent.plan.setup import TrainingSetup
from shared.errors import ErrorCode
from shared.hyperparameters import Body, Hyperparameters, Method
from shared.plans import Plan, PlanRequest, Preset
from tests.agent.plan.cases import SMALLEST, card_of, findings, machine, planned

BIG = next(model for model in KNOWN if model.id == "meta-llama/Llama-3.1-8B-Instruct")


def request(preset: Preset = Preset.balanced, **hyperparameters: object) -> PlanRequest:
    asked = Hyperparameters.model_validate(hyperparameters)
    method = Method(supervised=Body(hyperparameters=asked))
    return PlanRequest(model="acme/model", training_file="file-1", method=method, preset=preset)


def refusal(asked: PlanRequest, make: MakePlan) -> AgentError | None:
    try:
        make(asked)
    except AgentError as error:
        return error
    return None


def estimated_afresh(plan: Plan, known: KnownModel, *, device: str, longest: int, answer: int) -> float:
    """Estimate from nothing but the settings that the plan says a trainer would get."""
    chosen = plan.settings
    length = min(chosen.max_length, longest)
    setup = TrainingSetup(
        device="cuda" if device == "cuda" else "cpu", rows=chosen.per_device_train_batch_size,
        length=length, r=chosen.r, target_modules=chosen.target_modules,
        load_in_4bit=chosen.load_in_4bit, load_in_8bit=chosen.load_in_8bit, use_dora=chosen.use_dora,
        moves_base=chosen.moves_base, dropout=chosen.lora_dropout > 0, trained_share=min(1.0, answer / length),
        activation_checkpointing=chosen.activation_checkpointing, attention=known.shape.attention,
    )  # fmt: skip
    return estimate_memory(known.shape, setup).total


@settings(max_examples=500, deadline=None)
@given(
    known=st.sampled_from(KNOWN),
    device=st.sampled_from(("cpu", "cuda")),
    free_mib=st.integers(2048, 90_000),
    rows=st.integers(10, 5000),
    longest=st.integers(32, 16_000),
    share=st.floats(0.05, 1.0),
    preset=st.sampled_from(Preset),
    r=st.sampled_from(("auto", 8, 64, 256)),
    max_length=st.sampled_from(("auto", 256, 4096, 32_768)),
    in_4bit=st.sampled_from(("auto", False)),
    at_once=st.sampled_from(("auto", 4)),
    checkpointing=st.sampled_from(("auto", False)),
)
def test_no_refusal_without_a_way_on_and_each_way_on_fits(
    known: KnownModel, device: str, free_mib: int, rows: int, longest: int, share: float, preset: Preset,
    r: object, max_length: object, in_4bit: object, at_once: object, checkpointing: object,
) -> None:  # fmt: skip
    asked = request(
        preset, r=r, max_length=max_length, load_in_4bit=in_4bit, per_device_train_batch_size=at_once,
        activation_checkpointing=checkpointing, batch_size=8,
    )  # fmt: skip
    data, on = findings(rows, longest=longest, trained_share=share), machine(device=device, free_mib=free_mib)
    make = partial(planned, card=card_of(known.shape, name=known.id), data=data, on=on)
    small = partial(planned, card=card_of(SMALLEST.shape, name=SMALLEST.id), data=data, on=on)
    refused = refusal(asked, make)
    if refused is None:
        made = [(make(asked), known)]
    else:
        assert refused.code in TOO_LITTLE
        other = offer_of_another(asked, SMALLEST.id, small)
        made = [(offer.plan, known) for offer in offers_of_this_model(asked, make)]
        made += [(other.plan, SMALLEST)] if other else []
        assert made, f"{known.id} was refused, and nothing was offered instead"
    answer = data.tokens.longest_answer
    for plan, of in made:
        assert plan.memory_mib.high <= free_mib + 1
        assert estimated_afresh(plan, of, device=device, longest=longest, answer=answer) * 1.1 <= free_mib


def test_what_is_given_up_comes_in_the_order_of_the_seeds() -> None:
    on, data = machine(device="cuda", free_mib=16_000), findings(longest=4000)
    card = card_of(BIG.shape, name=BIG.id)
    in_16_bits = request(load_in_4bit=False, per_device_train_batch_size=4, batch_size=8)
    offers = offers_of_this_model(in_16_bits, lambda way: planned(way, card, data, on))
    assert offers[0].title == "in 4 bits"
    assert offers[0].plan.settings.load_in_4bit
    assert offers[0].plan.settings.max_length == 2048


def test_an_adapter_that_needs_16_bits_is_given_up_before_rows_are_cut() -> None:
    on, data = machine(device="cuda", free_mib=16_000), findings(longest=4000)
    card = card_of(BIG.shape, name=BIG.id)
    offers = offers_of_this_model(request(init_lora_weights="pissa"), lambda way: planned(way, card, data, on))
    assert offers[0].title == "plain LoRA"
    assert (offers[0].plan.settings.init_lora_weights, offers[0].plan.settings.load_in_4bit) == (True, True)


def test_rows_are_never_shortened_until_most_answers_are_lost() -> None:
    on = machine(device="cuda", free_mib=7_900)
    data = findings(longest=4000).model_copy(update={"answer_starts": [1500] * 101})
    card = card_of(BIG.shape, name=BIG.id)
    for offer in offers_of_this_model(request(), lambda way: planned(way, card, data, on)):
        assert offer.plan.settings.max_length > 1500


def test_a_card_of_before_shapes_were_kept_is_planned_like_a_llama_of_its_size() -> None:
    card = card_of(SMALLEST.shape, name=SMALLEST.id)
    old = card.model_copy(update={"shape": None})
    assert shape_of(old).linear_parameters == pytest.approx(card.linear_parameters, rel=0.2)
    assert shape_of(old).tied
    assert planned(request(), old, findings(), machine()).memory_mib.high == pytest.approx(
        planned(request(), card, findings(), machine()).memory_mib.high, rel=0.1
    )


def test_a_refusal_for_another_reason_is_no_reason_to_offer() -> None:
    card = card_of(SMALLEST.shape, name=SMALLEST.id)
    with pytest.raises(AgentError) as caught:
        planned(request(warmup_steps=5000), card, findings(), machine())
    assert caught.value.code is ErrorCode.setting_invalid
    assert caught.value.code not in TOO_LITTLE


def test_a_length_that_loses_most_answers_is_met_by_lengths_that_do_not() -> None:
    data = findings(longest=2700).model_copy(
        update={"answer_starts": [600] * 101, "answer_ends": [700] * 101, "row_lengths": [700] * 100 + [2700]}
    )
    make = partial(planned, card=card_of(SMALLEST.shape, name=SMALLEST.id), data=data, on=machine())
    offers = offers_of_longer_rows(request(max_length=256), make, lengths=[2048, 704])
    assert [offer.title for offer in offers] == ["2048 tokens a row", "704 tokens a row"]
    assert [offer.plan.settings.max_length for offer in offers] == [2048, 704]


def test_rows_longer_than_usual_that_do_not_fit_are_offered_shorter_by_steps() -> None:
    data = findings(longest=8000).model_copy(
        update={"answer_starts": [20] * 101, "answer_ends": [8000] * 101, "row_lengths": [8000] * 101}
    )
    card = card_of(BIG.shape, name=BIG.id)
    make = partial(planned, card=card, data=data, on=machine(device="cuda", free_mib=15_000))
    refused = refusal(request(), make)
    assert refused is not None
    titles = [offer.title for offer in offers_of_this_model(request(), make, length=8000)]
    assert titles == ["3072 tokens a row"]  # still more than usual
