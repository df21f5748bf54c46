from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from agent.base_models.card import WEIGHTS_COMPLETE, BaseModelCard
from agent.data.findings import Findings
from agent.errors import AgentError
from agent.machine.gpu import Machine
from agent.plan.resolve import MeasuredRun, make_plan, model_name
from shared.errors import ErrorCode
from shared.files import FileObject, FilePurpose
from shared.hyperparameters import Body, Hyperparameters, Method
from shared.inspections import DatasetForm, SampleRow, TokenCounts
from shared.plans import Plan, PlanRequest, Preset

MACHINE = Machine(
    device="cpu", name="CPU (2 cores)", cores=2, memory_total_mib=24000, memory_free_mib=20000, disk_free_mib=50000
)
FILE = FileObject(
    id="file-1", bytes=10, created_at=0, filename="Mia's Support.jsonl", purpose=FilePurpose.fine_tune, sha256="0" * 64
)


def findings(rows: int = 104, longest: int = 130) -> Findings:
    tokens = TokenCounts(
        total=rows * 80, trained=rows * 40, median=78, p95=90, longest=longest, longest_answer=longest // 2
    )
    return Findings(
        form=DatasetForm.messages, rows=rows, dropped_count=0, dropped=[], tokens=tokens,
        sample=SampleRow(line=1, parts=[]), answer_starts=[36] * 101, notes=[],
    )  # fmt: skip


def plan(
    card: BaseModelCard,
    *,
    machine: Machine = MACHINE,
    rows: int = 104,
    measured: list[MeasuredRun] | None = None,
    **hyperparameters: object,
) -> Plan:
    method = Method(supervised=Body(hyperparameters=Hyperparameters.model_validate(hyperparameters)))
    return make_plan(
        PlanRequest(model=card.name, training_file="file-1", method=method),
        plan_id="ftplan-1", file=FILE, findings=findings(rows), card=card, machine=machine, queue_position=1,
        queue_wait_minutes=0.0, now=0, measured=measured or [],
    )  # fmt: skip


def test_a_small_dataset_gets_the_seeds_defaults_and_enough_steps(smollm2_card: BaseModelCard) -> None:
    made = plan(smollm2_card)
    settings = made.settings
    assert (settings.r, settings.lora_alpha, settings.target_modules) == (16, 32, "all-linear")
    assert (settings.load_in_4bit, settings.lr_scheduler_type, settings.lora_dropout) == (True, "cosine", 0.1)
    assert made.steps >= 40
    assert settings.n_epochs <= 5
    assert settings.warmup_steps <= made.steps / 10
    assert made.suffix == "mia-s-support"


def test_the_shape_in_a_real_config_counts_what_torch_counts(smollm2_card: BaseModelCard) -> None:
    shape = smollm2_card.shape
    assert shape is not None
    assert (shape.parameters, shape.linear_parameters) == (smollm2_card.parameters, smollm2_card.linear_parameters)
    assert shape.lora_parameters(1) == smollm2_card.lora_parameters_per_rank


def test_every_setting_has_its_reason(smollm2_card: BaseModelCard) -> None:
    assert all(reason.reason for reason in plan(smollm2_card).reasons)


def test_the_real_model_fits_its_stated_range(smollm2_card: BaseModelCard) -> None:
    made = plan(smollm2_card)
    assert 0 < made.minutes.low < made.minutes.high
    assert 1000 < made.memory_mib.low < made.memory_mib.high < 4000


def test_a_measured_run_narrows_the_next_estimate(smollm2_card: BaseModelCard) -> None:
    run = MeasuredRun(parameters=smollm2_card.parameters, device=MACHINE.name, tokens_per_s=200.0)
    known, guessed = plan(smollm2_card, measured=[run]).minutes, plan(smollm2_card).minutes
    assert known.high / known.low < guessed.high / guessed.low


def test_little_memory_means_fewer_rows_at_once_with_the_same_batch(smollm2_card: BaseModelCard) -> None:
    small = Machine(device="cpu", name="CPU", cores=2, memory_total_mib=4000, memory_free_mib=1800, disk_free_mib=50000)
    settings = plan(smollm2_card, machine=small).settings
    assert settings.per_device_train_batch_size < settings.batch_size
    assert settings.per_device_train_batch_size * settings.gradient_accumulation_steps == settings.batch_size


def test_too_little_memory_is_refused_with_needed_and_free(smollm2_card: BaseModelCard) -> None:
    tiny = Machine(device="cpu", name="CPU", cores=2, memory_total_mib=900, memory_free_mib=600, disk_free_mib=50000)
    with pytest.raises(AgentError, match=r"needs about 0\.8 GiB of memory.*0\.6 GiB are free") as caught:
        plan(smollm2_card, machine=tiny)
    assert caught.value.code is ErrorCode.insufficient_memory


def test_too_little_disk_is_refused_with_needed_and_free(smollm2_card: BaseModelCard) -> None:
    full = Machine(device="cpu", name="CPU", cores=2, memory_total_mib=24000, memory_free_mib=20000, disk_free_mib=300)
    with pytest.raises(AgentError, match=r"0\.3 GiB are free") as caught:
        plan(smollm2_card, machine=full)
    assert caught.value.code is ErrorCode.insufficient_disk


def test_little_ram_beside_a_gpu_is_said_before_it_is_needed(smollm2_card: BaseModelCard) -> None:
    enough = plan(smollm2_card)
    assert enough.export_memory_mib is not None
    assert 300 < enough.export_memory_mib < 450  # measured: 350
    gpu = replace(MACHINE, device="cuda", name="RTX", ram_free_mib=200)
    assert (
        "At the end, checking the model takes 0.3 GiB of RAM, and 0.2 are free now."
        in plan(smollm2_card, machine=gpu).notes[-1]
    )
    begin, _end = plan(smollm2_card, machine=replace(gpu, ram_free_mib=100)).notes[-2:]
    assert "At the beginning, preparing the rows takes 0.2 GiB of RAM, and 0.1 are free now." in begin


def test_a_gguf_is_converted_within_what_the_plan_says(smollm2_card: BaseModelCard, tmp_path: Path) -> None:
    here = smollm2_card.model_copy(update={"folder": str(tmp_path)})
    machine = replace(MACHINE, ram_free_mib=600)
    once = plan(here, machine=machine)
    assert once.conversion_memory_mib is not None
    assert 671 < once.conversion_memory_mib < 800  # measured: 671
    assert "converting the base model takes 0.7 GiB of RAM, and 0.6 are free now" in once.notes[-1]
    (tmp_path / WEIGHTS_COMPLETE).touch()
    assert plan(here, machine=machine).conversion_memory_mib is None


def test_rows_take_memory_to_prepare_and_disk_as_tokens(smollm2_card: BaseModelCard) -> None:
    few, many = (plan(smollm2_card, rows=rows) for rows in (1000, 2_000_000))
    assert few.prepare_memory_mib is not None
    assert many.prepare_memory_mib is not None
    assert few.prepare_memory_mib < 210
    assert 100 < many.prepare_memory_mib - few.prepare_memory_mib < 834  # a whole run's bar is 1 GiB
    tokens_mib = 8 * 2_000_000 * 80 / 2**20
    assert many.disk_mib.low - few.disk_mib.low > 0.8 * tokens_mib


def test_settings_that_contradict_each_other_are_refused(smollm2_card: BaseModelCard) -> None:
    with pytest.raises(AgentError, match="does not divide"):
        plan(smollm2_card, batch_size=8, per_device_train_batch_size=3)


@pytest.mark.parametrize(
    ("filename", "name"), [("support.jsonl", "support"), ("Über Öl!.csv", "ber-l"), ("…", "my-model")]
)
def test_a_model_is_named_after_its_file(filename: str, name: str) -> None:
    assert model_name(filename) == name


def test_a_length_that_cuts_most_answers_away_is_refused_before_anything_starts(smollm2_card: BaseModelCard) -> None:
    with pytest.raises(AgentError, match="answers of 100% of the rows are cut away") as caught:
        plan(smollm2_card, max_length=32)
    assert caught.value.param == "max_length"


def test_a_run_of_a_model_of_another_size_does_not_narrow_the_estimate(smollm2_card: BaseModelCard) -> None:
    other = MeasuredRun(parameters=8_000_000_000, device=MACHINE.name, tokens_per_s=2000.0)
    assert plan(smollm2_card, measured=[other]).minutes == plan(smollm2_card).minutes


@pytest.mark.parametrize(
    ("max_length", "preset", "train"),
    [("auto", Preset.balanced, 160), (512, Preset.balanced, 640), ("auto", Preset.quick_look, 320)],
)
def test_a_text_goes_on_in_the_next_row_where_max_length_is_short(
    smollm2_card: BaseModelCard, max_length: int | Literal["auto"], preset: Preset, train: int
) -> None:
    tokens = TokenCounts(total=400_000, trained=400_000, median=2000, p95=2040, longest=2040, longest_answer=2040)
    text = findings(200).model_copy(update={"form": DatasetForm.text, "tokens": tokens, "answer_starts": [0] * 101})
    method = Method(supervised=Body(hyperparameters=Hyperparameters(max_length=max_length)))
    made = make_plan(
        PlanRequest(model=smollm2_card.name, training_file="file-1", method=method, preset=preset),
        plan_id="ftplan-1", file=FILE, findings=text, card=smollm2_card, machine=MACHINE, queue_position=1,
        queue_wait_minutes=0.0, now=0, measured=[],
    )  # fmt: skip
    assert (made.train_rows, made.trained_tokens) == (train, 320_000 * made.settings.n_epochs)
