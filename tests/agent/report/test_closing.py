"""What the closing report says."""

import pytest

from agent.base_models.card import BaseModelCard
from agent.diagnosis.answer_signs import AnswerSigns
from agent.job_folder.spec import JobSpec
from agent.methods.measured import Measured
from agent.methods.verdicts import learned_rows
from agent.report.closing import Verdict, verdict, write_report
from shared.inspections import DatasetForm
from shared.results import OllamaOutcome, ToolCalls
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
        (0.0, 0.0, "It hardly changed: the loss stayed at 0.00."),
        (1.5, 1.5, "It hardly changed: the loss stayed at 1.50."),
        (0.0041, 0.0022, "It learned your data well: the loss went from 0.004 to 0.002."),
        (1.501, 1.502, "It hardly changed: the loss stayed at 1.50."),
        (1.5, 1.6, "It got worse than the base model: the loss went from 1.50 to 1.60."),
    ],
)
def test_the_verdict_says_what_its_figures_show(base: float, final: float, said: str) -> None:
    told = judged(AnswerSigns(answers=8), base=base, final=final)
    assert told.ready
    assert told.text.replace(" on 9 rows it never trained on", "") == said


def judged(
    signs: AnswerSigns,
    *,
    base: float = 2.0,
    final: float = 1.0,
    form: DatasetForm = DatasetForm.messages,
    tool_calls: ToolCalls | None = None,
) -> Verdict:
    return verdict(
        learned_rows(Measured(before=base, after=final, rows=9)),
        optimistic=False,
        signs=signs,
        form=form,
        tool_calls=tool_calls,
    )


@pytest.mark.parametrize(
    ("signs", "said"),
    [
        (AnswerSigns(answers=8, endless=3), "It is not ready: 3 of 8 answers do not end. It learned your data well"),
        (AnswerSigns(answers=8, empty=3, endless=5), "It is not ready: 3 of 8 answers are empty. It learned"),
        (AnswerSigns(answers=8, repeating=4), "It is not ready: 4 of 8 answers say the same again and again. It"),
        (AnswerSigns(answers=8, by_heart=8), "It learned by heart: 8 of 8 answers are those of other questions"),
    ],
)
def test_what_answers_show_comes_before_what_losses_say(signs: AnswerSigns, said: str) -> None:
    told = judged(signs)
    assert told.text.startswith(said)
    assert not told.ready


@pytest.mark.parametrize(("right_tool", "ready"), [(4, True), (3, False)])
def test_a_model_that_calls_the_wrong_tools_is_not_ready(right_tool: int, ready: bool) -> None:
    calls = ToolCalls(asked=8, right=2, right_tool=right_tool)
    told = judged(AnswerSigns(answers=8), tool_calls=calls)
    assert told.ready is ready
    assert told.text.startswith("It is not ready: 3 of 8 held-out calls name the right tool. ") is not ready


def test_what_came_of_tools_and_thoughts_stands_in_the_report(smollm2_card: BaseModelCard) -> None:
    calls = ToolCalls(asked=8, right=7, right_tool=8)
    update = {"tool_calls": calls, "thoughtful": 5, "tools_as_trained": False, "template_tokens_equal": None}
    checked = RESULT.verification.model_copy(update=update)
    text = write_report(SPEC, smollm2_card, RESULT.model_copy(update={"verification": checked}), {"torch": "2"})
    assert "Calls tools: 7 of 8 held-out calls right (name and arguments)." in text
    assert "llama.cpp writes the offered tools otherwise than the rows had them." in text
    assert "Thinks first: 5 of 8 held-out answers." in text
    assert "tokens are" not in text  # nothing says both


def test_answers_of_a_model_of_plain_text_do_not_end_for_a_reason() -> None:
    told = judged(AnswerSigns(answers=8, endless=8), form=DatasetForm.text)
    assert "Your file was read as plain text, in which nothing ends an answer." in told.text


def test_one_odd_answer_of_eight_is_no_reason_to_call_it_off() -> None:
    assert judged(AnswerSigns(answers=8, endless=2, empty=1, repeating=2, by_heart=2)).ready
