"""What came out, how to run it, and what to do next, as the closing message says it."""

from bot.cards.details import details_card
from bot.cards.result import Linked, ResultFiles, files_card, result_card
from bot.cards.snapshot import Snapshot
from bot.core.reply import Reply
from bot.words.format import clock_time
from shared.files import FileLink, FileObject, FilePurpose
from shared.jobs import Job, JobStatus
from shared.results import Advice, Answer, JobResult, OllamaOutcome, ToolCalls
from tests.bot.cards.test_job import FIELDS
from tests.bot.harness import fits
from tests.fakes.agent_server import NOW, RESULT

BY_HAND = ("ollama create toast:v1 -f Modelfile", "ollama run toast:v1")


def card(ollama: OllamaOutcome | None, outcome: ResultFiles | None = None) -> Reply:
    result = RESULT.model_copy(update={"ollama_name": "toast:v1", "ollama": ollama})
    job = Job(status=JobStatus.succeeded, result=result, **FIELDS)
    return result_card(Snapshot(job=job), outcome or ResultFiles(), with_answers=True)


def test_a_model_that_is_in_ollama_takes_one_line_to_run() -> None:
    reply = card(OllamaOutcome(status="created", message="", run="toast"))
    assert reply.copy[0].lines == ("ollama run toast",)
    assert reply.copy[0].intro == "On the GPU machine:"


def test_without_an_ollama_two_lines_create_and_run_it_and_nothing_is_complained_of() -> None:
    before = card(None)
    assert before.copy[0].lines == BY_HAND
    assert card(OllamaOutcome(status="absent", message="No Ollama answers at http://127.0.0.1:11434.")) == before


def test_what_came_of_tools_is_said_in_short_lines() -> None:
    calls = ToolCalls(asked=8, right=7, right_tool=8)
    checked = RESULT.verification.model_copy(update={"tool_calls": calls, "thoughtful": 5})
    job = Job(status=JobStatus.succeeded, result=RESULT.model_copy(update={"verification": checked}), **FIELDS)
    text = details_card(Snapshot(job=job), None, with_answers=True, now=NOW).text
    assert "Calls tools: 7 of 8 held-out calls right (name and arguments)." in text.replace("\n", " ")
    assert "Thinks first: 5 of 8 held-out answers." in text.replace("\n", " ")
    assert fits(text)


def test_an_ollama_that_did_not_get_it_is_explained_in_short_lines() -> None:
    for status in ("refused", "failed"):
        reply = card(OllamaOutcome.model_validate({"status": status, "message": "Others can reach Ollama. " * 5}))
        assert reply.copy[0].lines == BY_HAND
        assert "Others can reach Ollama." in reply.text.replace("\n", " ")
        assert fits(reply.text)


def test_the_lines_by_hand_never_replace_somebodys_own_model() -> None:
    reply = card(OllamaOutcome(status="failed", message="It has another toast:v1.", name_taken=True))
    assert reply.copy[0].lines == ("ollama create toast-new:v1 -f Modelfile", "ollama run toast-new:v1")


LARGE = FileObject(
    id="file-1", bytes=98 << 20, created_at=0, filename="toast.gguf", purpose=FilePurpose.fine_tune_results,
    sha256="0" * 64, job_id="ftjob-1",
)  # fmt: skip


def test_results_too_large_for_the_chat_are_a_command_on_the_gpu_machine() -> None:
    reply = card(None, ResultFiles(too_large=(LARGE,)))
    assert reply.copy[1].intro == (
        "Too large for this chat: toast.gguf, 98 MiB. On the GPU machine, this copies all files:"
    )
    assert reply.copy[1].lines == ("hearth-agent results 1",)


def test_results_too_large_for_the_chat_are_a_link_where_there_are_links() -> None:
    link = FileLink(url="https://hearth.example.org/v1/files/file-1/download?expires=9", expires_at=NOW + 86400)
    reply = card(None, ResultFiles(too_large=(LARGE,), links=(Linked(file=LARGE, link=link),)))
    assert reply.copy[1].lines == (link.url,)
    until = clock_time(NOW + 86400, now=NOW)
    assert reply.copy[1].intro == f"Too large for this chat: toast.gguf, 98 MiB. Until {until} it is here:"
    assert "hearth-agent results" not in str(reply.copy)


def of(result: JobResult, *, with_answers: bool = True) -> Reply:
    job = Job(status=JobStatus.succeeded, result=result, **FIELDS)
    return result_card(Snapshot(job=job), ResultFiles(), with_answers=with_answers)


def taps(reply: Reply) -> list[tuple[str, str]]:
    return [(button.label, button.line) for button in reply.buttons]


def test_the_success_card_offers_to_try_the_model_to_train_again_and_to_see_more() -> None:
    more = [("Details", "/status #1 details"), ("Files", "/status #1 files")]
    assert taps(card(None)) == [("Chat", "/chat #1"), ("Share", "/share #1"), ("Train again", "/retry #1"), *more]
    change = Advice(rule="r", title="Underfitting", message="m", suggestion="s", change={"n_epochs": 8})
    improved = of(RESULT.model_copy(update={"advice": [change]}))
    assert taps(improved) == [("Chat", "/chat #1"), ("Share", "/share #1"), ("Improve", "/retry #1 epochs:8"), *more]


def test_the_files_of_a_job_are_deleted_where_they_are_shown() -> None:
    reply = files_card(Job(status=JobStatus.succeeded, result=RESULT, **FIELDS), ResultFiles())
    assert taps(reply) == [("Delete files", "/delete #1")]


SAME = Answer(question="What is two plus two?", base="Two plus two is four.", tuned="Two plus two is four.")


def test_of_all_answers_the_result_shows_the_first() -> None:
    changed = RESULT.answers[0]
    text = of(RESULT.model_copy(update={"answers": [changed, SAME]})).text
    assert f"{changed.question}\nbefore: {changed.base}\nafter: {changed.tuned}" in text
    assert SAME.question not in text


def test_what_the_models_said_is_shown_on_request_alone_where_others_read() -> None:
    reply = of(RESULT, with_answers=False)
    assert RESULT.answers[0].question not in reply.text
    assert RESULT.answers[0].tuned not in reply.text
    assert ("Show answers", "/status #1 answers") in taps(reply)
    assert ("Show answers", "/status #1 answers") not in taps(of(RESULT, with_answers=True))


def test_a_model_that_is_not_ready_says_so_in_its_title() -> None:
    assert of(RESULT).title == "✓ toast is ready · 3 min"
    bad = RESULT.model_copy(update={"ready": False, "verdict": "Its answers do not end."})
    assert of(bad).text.startswith("! toast is trained, but not ready\nIts answers do not end.\n")
