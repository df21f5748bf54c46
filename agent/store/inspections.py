"""Inspections: asked for, running, answered."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from agent.base_models.card import BaseModelCard
from agent.data.findings import Findings, ValidationRows
from agent.errors import AgentError
from agent.store import columns, files
from agent.store.store import RING
from agent.store.tables import InspectionRow
from shared.errors import ErrorCode, ErrorDetail
from shared.inspections import Inspection
from shared.language import _
from shared.mapping import Mapping

KEPT_S = 7 * 24 * 3600  # as long as a plan


@dataclass(frozen=True, kw_only=True)
class Understood:
    """What the inspect child found: of the base model, and of the dataset as that model sees it."""

    card: BaseModelCard
    findings: Findings
    validation: ValidationRows | None = None  # the file that is held out, where it is one of its own


def add(session: Session, inspection: Inspection) -> Inspection:
    """Record a running inspection."""
    row = InspectionRow(id=inspection.id, created_at=inspection.created_at, file_id=inspection.file_id)
    row.model, row.mapping = inspection.model, to_column(inspection.mapping)
    _fill(row, inspection)
    session.add(row)
    files.note_use(session, inspection.file_id, now=inspection.created_at)
    return inspection


def to_column(mapping: Mapping | None) -> str | None:
    """Return a mapping as it is stored and compared."""
    return mapping.model_dump_json(exclude_defaults=True) if mapping is not None else None


def finish(session: Session, inspection: Inspection, understood: Understood | None = None) -> None:
    """Record the answer; a file deleted meanwhile took its inspection along."""
    row = session.get(InspectionRow, inspection.id)
    if row is None:
        return
    _fill(row, inspection)
    if understood is not None:
        row.findings = understood.findings.model_dump_json()
        row.card = understood.card.model_dump_json()
    session.info[RING] = True


def get(session: Session, inspection_id: str) -> Inspection:
    """Return one inspection; raise not_found."""
    row = session.get(InspectionRow, inspection_id)
    if row is None:
        raise AgentError(
            _("There is no inspection {inspection_id!r}.", inspection_id=inspection_id), code=ErrorCode.not_found
        )
    return columns.demand(Inspection, row.inspection, of=row.id)


def newest_understood(
    session: Session, *, file_id: str, model: str, mapping: Mapping | None, since: int
) -> Understood | None:
    """Return what an inspection of this file for this model, read so, found, if one is recent enough."""
    row = session.scalars(
        sa.select(InspectionRow)
        .where(InspectionRow.file_id == file_id, InspectionRow.model == model, InspectionRow.findings.is_not(None))
        .where(InspectionRow.mapping == to_column(mapping))
        .where(InspectionRow.created_at >= since)
        .order_by(InspectionRow.created_at.desc())
        .limit(1)
    ).first()
    if row is None or row.findings is None or row.card is None:
        return None
    card, findings = columns.read(BaseModelCard, row.card, of=row.id), columns.read(Findings, row.findings, of=row.id)
    return Understood(card=card, findings=findings) if card is not None and findings is not None else None


def fail_interrupted(session: Session) -> None:
    """End the inspections that an earlier agent left running."""
    error = ErrorDetail(
        message=_("The agent was stopped while it read the file. Ask again."),
        type="server_error",
        code=ErrorCode.internal,
    )
    for row in session.scalars(sa.select(InspectionRow).where(InspectionRow.status == "running")):
        row.status = "failed"
        inspection = columns.read(Inspection, row.inspection, of=row.id)
        if inspection is not None:
            _fill(row, inspection.model_copy(update={"status": "failed", "error": error}))


def _fill(row: InspectionRow, inspection: Inspection) -> None:
    row.status = inspection.status
    row.inspection = inspection.model_dump_json()


def forget_old(session: Session, *, now: float) -> None:
    """Delete inspections that nobody will ask about any more."""
    session.execute(sa.delete(InspectionRow).where(InspectionRow.created_at < now - KEPT_S))
