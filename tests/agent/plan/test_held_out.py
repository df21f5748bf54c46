"""What a validation file makes of a plan: all other rows train, and what it costs to measure it is counted."""

import pytest

from agent.data.findings import Findings, ValidationRows
from agent.errors import AgentError
from agent.methods.preferences import DPO
from agent.methods.supervised import SUPERVISED
from agent.plan.cut_rows import left_at
from agent.plan.held_out import parts_of
from agent.plan.resolve import make_plan
from shared.files import FileObject, FilePurpose
from shared.plans import Plan, PlanRequest
from tests.agent.plan.cases import FILE, SMALLEST, card_of, findings, machine


def validation(found: Findings, *, copies: int = 0) -> ValidationRows:
    file = FileObject(
        id="file-2", bytes=1, created_at=0, filename="held.jsonl", purpose=FilePurpose.fine_tune, sha256="2"
    )
    return ValidationRows(file=file, findings=found.model_copy(update={"copies": copies}))


def plan(held: ValidationRows | None) -> Plan:
    card = card_of(SMALLEST.shape, name="m")
    return make_plan(
        PlanRequest(model="m", training_file=FILE.id), plan_id="ftplan-1", file=FILE, findings=findings(200), card=card,
        machine=machine(), queue_position=1, queue_wait_minutes=0, now=0, measured=[], validation=held,
    )  # fmt: skip


def test_without_one_a_part_of_the_rows_is_held_out() -> None:
    made = plan(None)
    assert (made.train_rows, made.validation_rows, made.test_rows) == (160, 20, 20)
    assert (made.validation_file, made.validation_sha256) == (None, None)


def test_with_one_all_rows_train_and_its_own_are_held_out() -> None:
    made = plan(validation(findings(30), copies=4))
    assert (made.train_rows, made.validation_rows, made.test_rows) == (200, 26, 0)
    assert (made.validation_file, made.validation_sha256) == ("file-2", "2")
    assert [note for note in made.notes if "held.jsonl" in note] == [
        "Held out are the 26 rows of held.jsonl: they choose the best step and give the verdict, which is optimistic.",
        "4 rows of held.jsonl are trained on as well, and measure nothing: they are left out.",
    ]
    assert not any("Below 100 rows" in note for note in made.notes)


def test_a_large_one_takes_its_time() -> None:
    assert plan(validation(findings(5000))).minutes.high > plan(validation(findings(10))).minutes.high
    assert plan(validation(findings(50_000))).disk_mib.high > plan(validation(findings(10))).disk_mib.high


def test_one_of_which_nothing_can_be_measured_is_refused() -> None:
    late = findings(3).model_copy(update={"answer_starts": [500] * 101})
    data = findings()
    with pytest.raises(AgentError, match=r"No row of the validation file held\.jsonl .* 3 rows at 128 tokens"):
        parts_of(data.rows, left_at(data, 128), validation(late), 128, SUPERVISED)
    with pytest.raises(AgentError, match=r"held\.jsonl"):  # none of its rows is a pair
        parts_of(data.rows, left_at(data, 128), validation(findings(3)), 128, DPO)
