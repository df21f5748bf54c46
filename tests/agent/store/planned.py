"""A plan in the store, with which jobs can be queued."""

from sqlalchemy.orm import Session

from agent.data.findings import Findings
from agent.plan.resolve import make_plan
from agent.store import files, plans
from agent.store.plans import StoredPlan
from shared.files import FileObject, FilePurpose
from shared.inspections import DatasetForm, SampleRow, TokenCounts
from shared.plans import PlanRequest
from tests.agent.fake_inspector import CARD, MODEL
from tests.agent.running_agent import MACHINE


def planned(session: Session) -> str:
    """Store a file and a plan for it; return the plan's id."""
    files.add(session, file_id="file-1", filename="a", size=1, sha256="0", path="files/1", now=0, requested_by=None)
    tokens = TokenCounts(total=2000, trained=1000, median=20, p95=20, longest=20, longest_answer=10)
    findings = Findings(
        form=DatasetForm.prompt_completion, rows=100, dropped_count=0, dropped=[], tokens=tokens,
        sample=SampleRow(line=1, parts=[]), notes=[],
    )  # fmt: skip
    file = FileObject(
        id="file-1", bytes=1, created_at=0, filename="a", purpose=FilePurpose.fine_tune, sha256="0"
    )  # fmt: skip
    plan = make_plan(
        PlanRequest(model=MODEL, training_file="file-1", suffix="toast"), plan_id="ftplan-1", file=file,
        findings=findings, card=CARD, machine=MACHINE, queue_position=1, queue_wait_minutes=0, now=0, measured=[],
    )  # fmt: skip
    return plans.add(session, StoredPlan(plan=plan, card=CARD, form=findings.form), requested_by=None).id
