"""Plans: what would be done, kept seven days and as long as a job made from one."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from agent.base_models.card import BaseModelCard
from agent.errors import AgentError
from agent.store import columns, files
from agent.store.requester import to_columns
from agent.store.tables import JobRow, PlanRow
from shared.errors import ErrorCode
from shared.inspections import DatasetForm
from shared.language import _
from shared.people import RequestedBy
from shared.plans import Plan


@dataclass(frozen=True, kw_only=True)
class StoredPlan:
    """A plan, and what a trainer needs beyond it."""

    plan: Plan
    card: BaseModelCard
    form: DatasetForm


def add(session: Session, stored: StoredPlan, *, requested_by: RequestedBy | None) -> Plan:
    """Record a plan."""
    plan = stored.plan
    session.add(
        PlanRow(
            id=plan.id,
            created_at=plan.created_at,
            expires_at=plan.expires_at,
            file_id=plan.training_file,
            form=stored.form,
            plan=plan.model_dump_json(),
            card=stored.card.model_dump_json(),
            **to_columns(requested_by),
        )
    )
    session.flush()
    for file in filter(None, (plan.training_file, plan.validation_file)):
        files.note_use(session, file, now=plan.created_at)
    return plan


def forget_expired(session: Session, *, now: float) -> None:
    """Delete the expired plans that no job was made from."""
    used = sa.select(JobRow.plan_id).where(JobRow.plan_id.is_not(None))
    session.execute(sa.delete(PlanRow).where(PlanRow.expires_at < now, PlanRow.id.not_in(used)))


def get(session: Session, plan_id: str) -> StoredPlan:
    """Return one plan; raise not_found, or internal where it cannot be read."""
    row = session.get(PlanRow, plan_id)
    if row is None:
        raise AgentError(
            _("There is no plan {plan_id!r}. Plans are kept seven days; make a new one.", plan_id=plan_id),
            code=ErrorCode.not_found,
        )
    return StoredPlan(
        plan=columns.demand(Plan, row.plan, of=row.id),
        card=columns.demand(BaseModelCard, row.card, of=row.id),
        form=DatasetForm(row.form),
    )
