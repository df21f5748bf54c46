"""What a plan makes of the lengths of rows."""

from dataclasses import replace
from random import Random

import pytest

from agent.data.findings import Findings
from agent.data.row_length import quantiles
from agent.errors import AgentError
from agent.plan.cut_rows import left_at
from agent.plan.memory import estimate_memory
from agent.plan.setup import TrainingSetup
from shared.errors import ErrorCode
from shared.hyperparameters import Body, Hyperparameters, Method
from shared.inspections import Finding, FindingCode, Fix, LengthHistogram, Severity
from shared.plans import Plan, PlanRequest, Preset
from tests.agent.plan.cases import SMALLEST, card_of, findings, machine, planned

CARD = card_of(SMALLEST.shape, name=SMALLEST.id)
Row = tuple[int, int]  # where its answer starts, and where row and answer end


def data_of(rows: list[Row]) -> Findings:
    starts, ends = [row[0] for row in rows], [row[1] for row in rows]
    found = findings(len(rows))
    tokens = found.tokens.model_copy(
        update={"total": sum(ends), "trained": sum(ends) - sum(starts), "longest": max(ends)}
        | {"longest_answer": max(end - start for start, end in rows)}
    )
    return found.model_copy(
        update={"tokens": tokens, "row_lengths": quantiles(ends), "answer_ends": quantiles(ends)}
        | {"answer_starts": quantiles(starts)}
    )


def plan_at(max_length: object, data: Findings, preset: Preset = Preset.balanced) -> Plan:
    asked = Hyperparameters.model_validate({"max_length": max_length})
    method = Method(supervised=Body(hyperparameters=asked))
    request = PlanRequest(model="acme/model", training_file="file-1", method=method, preset=preset)
    return planned(request, CARD, data, machine(free_mib=64_000))


def test_shorter_rows_take_less_time_and_train_fewer_tokens() -> None:
    chance = Random(1)
    rows = [(100, chance.randrange(1000, 2000)) for _ in range(1000)]
    plans = [plan_at(length, data_of(rows)) for length in ("auto", 512, 128)]
    assert [plan.train_rows for plan in plans] == [800, 800, 800]
    assert plans[0].minutes.low > 2 * plans[1].minutes.low > 4 * plans[2].minutes.low
    assert [plan.trained_tokens for plan in plans[1:]] == [
        pytest.approx(800 * kept * plans[0].settings.n_epochs, rel=0.01) for kept in (412, 28)
    ]


def test_rows_that_are_left_out_count_in_no_row_step_or_token() -> None:
    rows = [(50, 100)] * 600 + [(900, 1000)] * 400
    whole, short = plan_at(1024, data_of(rows)), plan_at(256, data_of(rows))
    assert whole.train_rows == 800
    assert short.train_rows == pytest.approx(480, abs=8)
    assert short.steps < 0.7 * whole.steps
    assert left_at(data_of(rows), 256).tokens == pytest.approx(100, rel=0.05)


def test_one_endless_row_does_not_shorten_the_others() -> None:
    rows = [(50, 100)] * 9999 + [(50, 30_000)]
    left = left_at(data_of(rows), 2048)
    assert left.tokens == pytest.approx(100, rel=0.1)
    assert left.trained == pytest.approx(50, rel=0.1)


def test_an_inspection_of_before_lengths_were_kept_counts_as_it_did() -> None:
    old = findings(1000, longest=2000)
    assert left_at(old, 128).tokens == old.tokens.total / 1000


@pytest.mark.parametrize(
    ("rows", "preset", "length"),
    [
        ([(1373, 1400)] * 120, Preset.quick_look, 1408),
        ([(2600, 2700)] * 120, Preset.balanced, 2752),
        ([(100, 200)] * 90 + [(2600, 2700)] * 30, Preset.balanced, 2048),  # most are there
        ([(100, 200)] * 30 + [(2600, 2700)] * 89 + [(100, 6000)], Preset.balanced, 2752),
        ([(100, 9000)] * 120, Preset.balanced, 8192),  # the model reads no more
    ],
)
def test_by_itself_a_plan_takes_so_many_tokens_that_most_answers_fit(
    rows: list[Row], preset: Preset, length: int
) -> None:
    assert CARD.context_length == 8192
    assert plan_at("auto", data_of(rows), preset).settings.max_length == length


def test_a_length_above_the_usual_says_why() -> None:
    plan = plan_at("auto", data_of([(2600, 2700)] * 119 + [(100, 6000)]))
    reason = next(setting.reason for setting in plan.reasons if setting.name == "max_length")
    assert reason.startswith("more than the usual 2048, because most answers end only here")


def test_a_length_that_was_asked_for_and_loses_most_answers_names_one_that_does_not() -> None:
    with pytest.raises(AgentError, match=r"answers of 100% .* Choose at least 2752") as caught:
        plan_at(1024, data_of([(2600, 2700)] * 120))
    assert (caught.value.code, caught.value.param) == (ErrorCode.setting_invalid, "max_length")


def test_too_few_rows_that_keep_an_answer_are_refused() -> None:
    with pytest.raises(AgentError, match="At 8192 tokens only 5 rows keep anything of their answers") as caught:
        plan_at("auto", data_of([(8500, 9000)] * 95 + [(100, 200)] * 5))
    assert caught.value.code is ErrorCode.dataset_too_small


CUT = Finding(
    code=FindingCode.answers_cut, severity=Severity.serious, count=72, lines=[1], fix=Fix.drop_cut, why="…",
    message="72 answers are cut at 2,048 tokens.",
)  # fmt: skip


def looked_at(rows: list[Row]) -> Findings:
    """Return findings as an inspection leaves them that saw the answers cut at 2,048 tokens."""
    bars = LengthHistogram(width=64, kept=[], cut=[], lost=[], max_length=2048, saves_all=2673)
    return data_of(rows).model_copy(
        update={"findings": [CUT], "notes": ["1 row holds a key.", CUT.message], "lengths": bars}
    )


def test_cut_answers_are_counted_at_the_length_of_the_plan() -> None:
    rows = [(100, 2000)] * 800 + [(100, 2673)] * 200
    assert plan_at("auto", looked_at(rows)).notes[:2] == ["1 row holds a key.", CUT.message]
    thorough = plan_at("auto", looked_at(rows), Preset.thorough)
    assert (thorough.settings.max_length, thorough.notes) == (2688, ["1 row holds a key."])
    short = plan_at(1024, looked_at(rows)).notes
    assert short == [
        "1 row holds a key.",
        "About 100% of the answers lose their end at 1,024 tokens. max_length 2673 would keep them.",
    ]


def test_memory_is_enough_for_a_batch_of_nothing_but_the_longest_answers() -> None:
    short, long = [(1950, 1955)] * 120, [(20, 2000)] * 20
    plan = plan_at("auto", data_of(short + long))
    settings = plan.settings
    batch = TrainingSetup(
        device="cpu", rows=settings.per_device_train_batch_size, length=2000, r=settings.r, trained_share=1980 / 2000,
        activation_checkpointing=settings.activation_checkpointing,
    )  # fmt: skip
    needed = estimate_memory(SMALLEST.shape, batch).total
    assert needed <= plan.memory_mib.high
    assert needed > 1.1 * estimate_memory(SMALLEST.shape, replace(batch, trained_share=0.15)).total  # the average
