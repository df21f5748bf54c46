from typing import Any

import pytest

from bot.cards.job import job_card, state, without_contact
from bot.cards.snapshot import Snapshot
from bot.core.blocks import Bar
from bot.core.reply import Reply
from bot.following.snapshot import take_snapshot
from bot.words.format import clock_time
from shared.events import QueueData
from shared.jobs import PROOF_S, Job, JobStatus, PauseReason, Progress, Stage, TrainerHealth
from shared.language import speaking
from tests.bot.harness import Bot, fits
from tests.bot.time_zone import living_in
from tests.fakes.agent_server import NOW, RESULT, FakeAgent

FIELDS: dict[str, Any] = {
    "id": "ftjob-1", "created_at": NOW, "model": "m", "training_file": "file-1", "seed": 42,
    "method": {"type": "supervised"}, "number": 1, "suffix": "toast",
}  # fmt: skip
PROGRESS = Progress(step=20, total_steps=45, epoch=2.2, n_epochs=5, loss=1.2, eta_s=100, updated_at=NOW)


def waiting(*, starts_at: float, now: float) -> str:
    job = Job(status=JobStatus.queued, queue_position=2, **FIELDS)
    return job_card(Snapshot(job=job, starts_at=starts_at), now=now).summary


def test_a_start_is_said_by_the_clock_which_stays_true_without_an_edit() -> None:
    at = NOW + 3600
    for now in (NOW, NOW + 1800, NOW + 3540):
        assert waiting(starts_at=at, now=now).endswith(f"Starts about {clock_time(at, now=now)}")
    assert waiting(starts_at=at, now=NOW + 3575).endswith("Starts within a minute")


def test_a_time_that_ticks_is_none_that_passes_before_the_next_look() -> None:
    job = Job(status=JobStatus.queued, queue_position=1, **FIELDS)
    soon = [job_card(Snapshot(job=job, starts_at=NOW + 25), now=NOW), job_card(Snapshot(job=running()), now=NOW + 75)]
    assert [reply.moments for reply in soon] == [(), ()]


def test_a_job_that_waits_on_a_paused_machine_is_not_said_to_start() -> None:
    job = Job(status=JobStatus.queued, queue_position=1, **FIELDS)
    text = job_card(Snapshot(job=job, queued=1, machine_paused=True), now=NOW).text
    assert "The machine is paused: nothing starts" in text.replace("\n", " ")
    assert "at once" not in text


def test_a_start_that_is_overdue_is_never_a_negative_wait() -> None:
    assert waiting(starts_at=NOW, now=NOW + 500).endswith("Starts at once")


def running(**fields: Any) -> Job:
    now = {"status": JobStatus.running, "stage": Stage.train, "progress": PROGRESS, "started_at": NOW}
    return Job(**{**FIELDS, **now, **fields})


def card(job: Job) -> Reply:
    reply = job_card(Snapshot(job=job), now=NOW + 60)
    assert fits(reply.text)
    assert len(reply.buttons) <= 3
    return reply


def beside_the_bar(reply: Reply) -> str:
    [bar] = [block for block in reply.blocks if isinstance(block, Bar)]
    return bar.beside


def text(job: Job) -> str:
    return " ".join(card(job).text.split())


@pytest.mark.parametrize("stage", [None, *Stage])
def test_nothing_is_said_to_run_without_a_proof_younger_than_two_minutes(stage: Stage | None) -> None:
    job = running(stage=stage, proof_age_s=PROOF_S + 1, health=TrainerHealth.silent)
    assert state(job) == "No sign of life"
    assert card(job).text.startswith("toast · no sign of life\nLast proof 2 min ago\n")
    assert "the agent starts it again" in text(job)
    assert "left" not in text(job)
    assert state(running(stage=stage, proof_age_s=PROOF_S)) != "No sign of life"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"health": TrainerHealth.slow, "work_age_s": 720}, "No step for 12 min (usually quicker)"),
        (
            {"health": TrainerHealth.slow, "work_age_s": 720, "stage": Stage.export},
            "No progress for 12 min (usually quicker)",
        ),
        (
            {"health": TrainerHealth.stalled, "work_age_s": 1800},
            "No step for 30 min, starting it again from its newest checkpoint",
        ),
        ({"health": TrainerHealth.silent, "proof_age_s": 110}, "No sign of life for 2 min"),
        ({"attempt": 2}, "#1 · Attempt 2 of 3"),
        ({"stage_detail": "40 % of the model given to Ollama"}, "40 % of the model given to Ollama"),
        ({"pausing": True}, "toast · pausing … 44 %"),
        ({"status": JobStatus.paused, "paused": PauseReason.asked}, "Paused by a person: /resume #1"),
        ({"status": JobStatus.paused, "paused": PauseReason.agent}, "The machine is paused: /resume"),
        (
            {"status": JobStatus.paused, "paused": PauseReason.disk},
            "The disk is full: make room there, then /resume #1",
        ),
        (
            {"status": JobStatus.paused, "paused": PauseReason.gpu},
            "The GPU does not answer: restart that PC, then /resume",
        ),
        ({"status": JobStatus.queued, "start_at": NOW + 3600}, f"Starts {clock_time(NOW + 3600)}, as asked"),
    ],
)
def test_what_is_out_of_the_ordinary_is_said_and_shown_where_edits_cannot_be_seen(
    fields: dict[str, Any], said: str
) -> None:
    assert said in text(running(**fields))
    assert said not in text(running())
    assert card(running(**fields)).milestone != card(running()).milestone


def test_a_card_shows_how_far_it_is_how_long_it_takes_and_its_loss_and_no_more() -> None:
    progress = PROGRESS.model_copy(update={"loss": 1.234, "validation_loss": 1.4, "best_loss": 1.3})
    reply = job_card(Snapshot(job=running(progress=progress)), now=NOW + 125)
    done = clock_time(NOW + 100, now=NOW + 125)
    assert reply.text.splitlines() == [
        "toast · training 44 %", "", f"▓▓▓▓▓░░░░░░░ 2 min left ({done})", "loss: 1.23", "held-out: 1.40", "#1"
    ]  # fmt: skip
    last = PROGRESS.model_copy(update={"step": PROGRESS.total_steps, "eta_s": 0})
    assert " left (" not in card(running(progress=last)).text
    assert "▓" not in card(running(progress=progress, stage=Stage.evaluate)).text


@pytest.mark.parametrize(
    ("zone", "done"), [("Europe/Berlin", "15:45 CET"), ("Asia/Kathmandu", "20:30 +05:45"), ("UTC", "14:45 UTC")]
)
@pytest.mark.parametrize("language", ["en", "de"])
def test_the_end_is_said_with_its_time_zone_on_a_phones_line(zone: str, done: str, language: str) -> None:
    now = 1_795_617_900  # 2026-11-25 14:45 UTC
    progress = PROGRESS.model_copy(update={"updated_at": now, "eta_s": 0.0})
    far = progress.model_copy(update={"eta_s": 6 * 86_400 + 85_500})
    with living_in(zone), speaking(language):
        today, later = [beside_the_bar(job_card(Snapshot(job=running(progress=it)), now=now)) for it in (progress, far)]
        lost = without_contact("toast · training 44 %", since=now - 86_400, now=now).text
    assert today.endswith(f" ({done})")
    assert len(later) <= 40
    assert fits(lost)


def test_a_figure_that_moves_within_a_stage_is_no_milestone() -> None:
    first, second = (running(stage=Stage.export, stage_detail=f"{done} % given to Ollama") for done in (40, 41))
    assert card(first).milestone == card(second).milestone


@pytest.mark.parametrize(
    ("fields", "labels"),
    [
        ({}, ["Pause", "Stop", "Details"]),
        ({"progress": None}, ["Pause", "Stop"]),
        ({"pausing": True}, ["Stop", "Details"]),
        ({"status": JobStatus.paused, "paused": PauseReason.asked}, ["Resume", "Stop", "Details"]),
        ({"status": JobStatus.queued, "progress": None}, ["Stop"]),
    ],
)
def test_a_card_offers_what_can_be_done_now(fields: dict[str, Any], labels: list[str]) -> None:
    assert [button.label for button in card(running(**fields)).buttons] == labels


def test_without_contact_a_card_says_nothing_of_now() -> None:
    lost = without_contact(card(running()).text, since=NOW, now=NOW)
    assert lost.text.startswith("toast · no contact\nLast seen: training 44 %\n")
    assert f"No contact since {clock_time(NOW)}." in lost.text
    assert without_contact(lost.text, since=NOW, now=NOW).text == lost.text


async def test_a_wait_counts_from_the_event_that_said_it(agent: FakeAgent, bot: Bot) -> None:
    job = agent.add_job()
    agent.emit(job.id, QueueData(position=2, wait_s=9000))
    agent.emit(job.id, QueueData(position=1, wait_s=600))
    assert (await take_snapshot(bot.core.agent, job.id)).starts_at == agent.events[-1].created_at + 600


async def test_the_agents_own_estimate_of_the_start_comes_first(agent: FakeAgent, bot: Bot) -> None:
    job = agent.add_job(estimated_start=NOW + 77)
    agent.emit(job.id, QueueData(position=1, wait_s=600))
    assert (await take_snapshot(bot.core.agent, job.id)).starts_at == NOW + 77


def test_lines_that_name_a_time_to_come_can_tick() -> None:
    [done] = card(running()).moments
    assert (done.words, done.before, done.at) == (beside_the_bar(card(running())), "done ", NOW + 100)
    queued = Job(status=JobStatus.queued, queue_position=2, **FIELDS)
    waits = job_card(Snapshot(job=queued, starts_at=NOW + 3600), now=NOW)
    [starts] = waits.moments
    assert (starts.words, starts.before, starts.at) == (waits.summary.splitlines()[-1], "Starts ", NOW + 3600)
    assert card(Job(status=JobStatus.succeeded, **FIELDS)).moments == ()


@pytest.mark.parametrize(("optimistic", "rows"), [(False, "test"), (True, "held-out")])
def test_a_done_card_names_the_rows_of_its_loss(optimistic: bool, rows: str) -> None:
    result = RESULT.model_copy(update={"optimistic": optimistic})
    assert f"Loss on {rows} rows 2.913 → 1.434" in text(running(status=JobStatus.succeeded, result=result))


def test_the_first_step_is_worth_a_card_and_the_next_few_are_not() -> None:
    before, first, second = (
        card(running(progress=PROGRESS.model_copy(update={"step": step}) if step else None)) for step in (0, 1, 2)
    )
    assert before.milestone != first.milestone == second.milestone


def test_a_job_whose_start_nobody_knows_says_nothing_of_it() -> None:
    job = running(status=JobStatus.queued, stage=None, progress=None, queue_position=2)
    assert job_card(Snapshot(job=job, queued=3), now=NOW).summary == "Place 2 of 3 in the queue"
