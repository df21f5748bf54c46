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
                memory_ratio=_memory_ratio(plan, made),
            )
        )
    return found


def _memory_ratio(plan: Plan, result: JobResult) -> float | None:
    """Compare what was planned with what was taken: where that was too much, it was taken before the job gave way."""
    if plan.memory is None:
        return None
    if result.short_memory_mib is None and result.adapted:
        return None  # it ran by other settings than those that were estimated
    if result.short_memory_mib is None:
        return measured_ratio(plan.memory, peak_mib=result.peak_memory_mib, kind=plan.memory_kind)
    ratio = measured_ratio(plan.memory, peak_mib=result.short_memory_mib, kind=plan.memory_kind)
    return ratio if ratio is not None and ratio > 1 else None  # else something else held the memory
