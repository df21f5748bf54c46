"""What finished jobs showed of this machine: how fast they were, and how much memory they took."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from agent.base_models.card import shape_of
from agent.plan.calibration import measured_ratio
from agent.plan.duration import MeasuredRun
from agent.store import plans
from agent.store.tables import JobRow, PlanRow
from shared.results import JobResult


def newest(session: Session) -> list[MeasuredRun]:
    """Return how fast the last twenty finished jobs were and how much memory they took, newest first."""
    query = (
        sa.select(JobRow.result, PlanRow)
        .join(PlanRow, PlanRow.id == JobRow.plan_id)
        .where(JobRow.result.is_not(None))
        .order_by(JobRow.number.desc())
        .limit(20)
    )
    found: list[MeasuredRun] = []
    for result, row in session.execute(query):
        stored = plans.get(session, row.id)
        plan, made = stored.plan, JobResult.model_validate_json(result or "")
        found.append(
            MeasuredRun(
                parameters=stored.card.parameters,
                device=plan.device,
                tokens_per_s=made.tokens_per_s,
                family=shape_of(stored.card).model_type,
                memory_ratio=measured_ratio(plan.memory, peak_mib=made.peak_memory_mib, kind=plan.memory_kind)
                if plan.memory
                else None,
            )
        )
    return found
