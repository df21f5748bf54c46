"""What finished jobs showed of this machine: how fast they were, and how much memory they took."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from agent.base_models.card import BaseModelCard, shape_of
from agent.plan.calibration import measured_ratio
from agent.plan.duration import MeasuredRun
from agent.store import columns
from agent.store.tables import JobRow, PlanRow
from shared.plans import Plan
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
        plan, card = columns.read(Plan, row.plan, of=row.id), columns.read(BaseModelCard, row.card, of=row.id)
        made = columns.read(JobResult, result, of=row.id)
        if plan is None or card is None or made is None:
            continue
        found.append(
            MeasuredRun(
                parameters=card.parameters,
                device=plan.device,
                tokens_per_s=made.tokens_per_s,
                family=shape_of(card).model_type,
                memory_ratio=measured_ratio(plan.memory, peak_mib=made.peak_memory_mib, kind=plan.memory_kind)
                if plan.memory
                else None,
            )
        )
    return found
