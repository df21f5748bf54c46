"""What the closing report says."""

import pytest

from agent.base_models.card import BaseModelCard
from agent.job_folder.spec import JobSpec
from agent.report.closing import verdict, write_report
from shared.inspections import DatasetForm
from shared.results import OllamaOutcome
from tests.fakes.agent_server import RESULT, SETTINGS

SPEC = JobSpec(
    job_id="ftjob-1", number=1, name="toast", ollama_name="toast:v1", base_model="tiny", base_model_cache="none",
    base_model_revision="1", dataset_path="none", dataset_sha256="0" * 64, form=DatasetForm.prompt_completion,
    settings=SETTINGS, seed=42, total_steps=12, threads=1, device="cpu",
)  # fmt: skip


def report(card: BaseModelCard, ollama: OllamaOutcome) -> str:
    result = RESULT.model_copy(update={"ollama_name": "toast:v1", "ollama": ollama})
    return write_report(SPEC, card, result, {"torch": "2"})


def test_a_model_in_ollama_is_run_there_and_created_elsewhere(smollm2_card: BaseModelCard) -> None:
    text = report(smollm2_card, OllamaOutcome(status="created", message="", run="toast"))
    assert text.index("ollama run toast\n") < text.index("ollama create toast:v1 -f Modelfile\nollama run toast:v1\n")


def test_why_it_is_not_in_ollama_stands_before_the_lines_that_put_it_there(smollm2_card: BaseModelCard) -> None:
    text = report(smollm2_card, OllamaOutcome(status="absent", message="No Ollama answers at http://127.0.0.1:1."))
    assert text.index("No Ollama answers at") < text.index("ollama create toast:v1 -f Modelfile")


@pytest.mark.parametrize("optimistic", [True, False])
def test_two_losses_on_rows_not_trained_on_are_told_apart(smollm2_card: BaseModelCard, optimistic: bool) -> None:
    result = RESULT.model_copy(update={"optimistic": optimistic})
    text = write_report(SPEC, smollm2_card, result, {"torch": "2"})
    assert ("test rows, kept for the end" in text) is not optimistic


@pytest.mark.parametrize(
    ("base", "final", "said"),
    [
        (0.0, 0.0, "It hardly changed: the loss went from 0.00 to 0.00."),
        (1.5, 1.5, "It hardly changed: the loss went from 1.50 to 1.50."),
        (0.0041, 0.0022, "It learned your data well: the loss went from 0.004 to 0.002."),
        (1.501, 1.502, "It got worse than the base model: the loss went from 1.501 to 1.502."),
    ],
)
def test_the_verdict_says_what_its_figures_show(base: float, final: float, said: str) -> None:
    told = verdict(base_loss=base, final_loss=final, test_rows=9, optimistic=False)
    assert told.replace(" on 9 rows it never trained on", "") == said
