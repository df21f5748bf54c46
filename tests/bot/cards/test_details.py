"""All figures of a job, one tap behind its card."""

import re
from typing import Any

from bot.cards.details import details_card
from bot.cards.result import before_and_after
from bot.cards.snapshot import Snapshot
from bot.core.reply import Reply
from shared.jobs import Job, JobStatus
from tests.bot.cards.test_job import FIELDS, PROGRESS, running
from tests.bot.harness import fits
from tests.fakes.agent_server import NOW, RESULT, SETTINGS


def details(job: Job, *, with_answers: bool = True, now: float = NOW + 125) -> Reply:
    reply = details_card(Snapshot(job=job), None, with_answers=with_answers, now=now)
    assert fits(reply.text)
    return reply


def finished(**fields: Any) -> Job:
    return Job(status=JobStatus.succeeded, settings=SETTINGS, **{"result": RESULT, **FIELDS, **fields})


def taps(reply: Reply) -> list[tuple[str, str]]:
    return [(button.label, button.line) for button in reply.buttons]


def test_details_show_every_vital_sign() -> None:
    progress = PROGRESS.model_copy(update={
        "loss": 1.234, "validation_loss": 1.4, "best_loss": 1.3, "tokens_per_s": 183.6, "memory_mib": 2560,
        "temperature_c": 71,
    })  # fmt: skip
    reply = details(running(progress=progress, attempt=2))
    lines = reply.text.splitlines()
    assert lines[:10] == [
        "toast · training 44 %", "", "Step: 20 of 45", "Epoch: 2.2 of 5", "Loss: 1.234", "On held-out rows: 1.400",
        "Best so far: 1.300", "Speed: 184 tokens/s", "Memory: 2.5 GiB", "Temperature: 71 °C",
    ]  # fmt: skip
    assert re.fullmatch(r"Measured at: \d\d:\d\d:\d\d ([A-Z]{3,5}|[+-]\d\d:\d\d)", lines[10])
    for said in ["Learns from: m", "Asked for: ", "Runs for: 2 min", "Number: #1", "Attempt 2 of 3"]:
        assert said in reply.text
    assert taps(reply) == [
        ("Look again", "/status #1 details again"), ("Log", "/log #1"),
        ("Half the rate", "/status #1 slower"), ("Save now", "/status #1 save"),
    ]  # fmt: skip


def test_a_run_counts_from_its_start_and_not_from_the_wait_before_it() -> None:
    job = Job(status=JobStatus.running, started_at=NOW + 3600, **FIELDS)
    assert "Runs for: 2 min" in details(job, now=NOW + 3720).text
    unknown = job.model_copy(update={"started_at": None})
    assert "min" not in details(unknown, now=NOW + 3720).text


def test_details_of_a_result_show_its_figures_its_settings_and_what_was_noticed() -> None:
    said = details(finished()).text
    for line in [
        "Loss on held-out rows: 2.913 → 1.434", "Steps: 45", "Time: 3 min", "Speed: 212 tokens/s", "Memory: 1.1 GiB",
        "Epochs: 5", "Learning rate: 0.0002", "Rank: 16", "Rows a step: 8", "Learned from: m", "Number: #1", "Few rows",
    ]:  # fmt: skip
        assert line in said.splitlines()
    assert "lower is better" in said
    assert RESULT.advice[0].suggestion in said
    measured = RESULT.model_copy(update={"optimistic": False})
    assert "Loss on test rows: 2.913 → 1.434" in details(finished(result=measured)).text


def test_details_show_what_the_models_said_on_request_alone_where_others_read() -> None:
    said = before_and_after(RESULT.answers[0])
    assert said in details(finished(), with_answers=True).blocks
    reply = details(finished(result_files=["file-2"]), with_answers=False)
    assert RESULT.answers[0].question not in reply.text
    assert taps(reply) == [
        ("Show answers", "/status #1 answers"), ("Train again", "/retry #1"), ("Log", "/log #1"),
        ("Files", "/status #1 files"), ("Delete files", "/delete #1"),
    ]  # fmt: skip
