"""People: who was allowed or denied what, which models the owner said yes to, and whose a stored thing is."""

from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from agent.auth.keys import Key, check_bot_itself
from agent.auth.permissions import People, Thing, authorize, named_owner
from agent.errors import AgentError
from agent.store import files, inspections, jobs, plans
from agent.store.requester import from_columns
from agent.store.tables import ApprovalRow, FileRow, GrantRow, PlanRow
from shared.errors import ErrorCode
from shared.language import N_, _
from shared.models import Approval
from shared.people import Action, Grant, GrantKind, RequestedBy, Role


class ThingKind(StrEnum):
    """What belongs to somebody."""

    job = "job"
    file = "file"
    plan = "plan"
    inspection = "inspection"


def load(session: Session) -> People:
    """Return everybody: the owner first, then as they came."""
    rows = session.scalars(sa.select(GrantRow).order_by(GrantRow.number))
    return People(grants=tuple(sorted(map(_to_grant, rows), key=lambda grant: grant.role is not Role.owner)))


def check(
    session: Session,
    came_with: Key,
    who: RequestedBy | None,
    action: Action,
    kind: ThingKind | None = None,
    key: str = "",
) -> Role:
    """Return what a person is if they may, with this thing; raise not_allowed, and not_found only to who may ask.

    Nobody, with a key that is not the owner's: the bot itself, which sees what members see of its people's things.
    """
    people = load(session)
    if who is None and not came_with.is_owner:
        check_bot_itself(came_with, action)
        if kind is not None:
            check_bot_itself(came_with, action, thing_of(session, kind, key))
        return Role.member
    role = authorize(who, action, people=people)
    if kind is not None:
        authorize(who, action, people=people, thing=thing_of(session, kind, key))
    return role


def thing_of(session: Session, kind: ThingKind, key: str) -> Thing:
    """Return whose a thing is; raise not_found. What was understood of a file is its sender's."""
    match kind:
        case ThingKind.job:
            job = jobs.row_of(session, key)
            return Thing(name=_("Job #{number}", number=job.number), made_by=from_columns(job))
        case ThingKind.plan:
            name = _("The plan for {suffix}", suffix=plans.get(session, key).plan.suffix)
            plan = session.get_one(PlanRow, key)
            return Thing(name=name, made_by=from_columns(plan), how=N_("was made"))
        case ThingKind.inspection:
            return thing_of(session, ThingKind.file, inspections.get(session, key).file_id)
        case ThingKind.file:
            name = files.get(session, key).file.filename
            file = session.scalars(sa.select(FileRow).where(FileRow.id == key)).one()
            return Thing(
                name=name, made_by=from_columns(file), how=N_("was sent") if file.job_id is None else N_("was made")
            )


def pair(session: Session, who: RequestedBy, *, now: float) -> People:
    """Make a person the owner on their platform, in place of whoever was."""
    for row in session.scalars(sa.select(GrantRow).where(GrantRow.platform == who.platform)):
        if row.role == Role.owner or (row.kind, row.subject) == (GrantKind.person, who.person):
            session.delete(row)
    session.flush()
    _add(session, who.platform, GrantKind.person, who.person, name=who.name or "", role=Role.owner, now=now)
    return load(session)


def grant(
    session: Session, *, platform: str, kind: GrantKind, subject: str, name: str, role: Role, now: float
) -> Grant:
    """Make a person, role, chat or server a member or admin, or deny a person; raise not_allowed for the owner."""
    row = _find(session, platform, kind, subject)
    if row is None:
        return _to_grant(_add(session, platform, kind, subject, name=name, role=role, now=now))
    _not_the_owner(row)
    row.role, row.name = role, name or row.name
    return _to_grant(row)


def take_away(session: Session, *, platform: str, kind: GrantKind, subject: str, also_owner: bool) -> None:
    """Forget a grant or denial; raise not_found, and not_allowed for the owner's unless told otherwise."""
    row = _find(session, platform, kind, subject)
    if row is None:
        raise AgentError(
            _(
                "Nothing is allowed or denied to the {kind} {subject}. /who lists all that is.",
                kind=kind,
                subject=subject,
            ),
            code=ErrorCode.not_found,
        )
    if not also_owner:
        _not_the_owner(row)
    session.delete(row)


def approve(session: Session, model: str, *, now: float) -> Approval:
    """Store the owner's yes to a model; the first one stays."""
    row = session.get(ApprovalRow, model)
    if row is None:
        row = ApprovalRow(model=model, approved_at=int(now))
        session.add(row)
    return Approval(model=model, approved_at=row.approved_at)


def approved_models(session: Session) -> list[str]:
    """Return the models that the owner said yes to, by name."""
    return list(session.scalars(sa.select(ApprovalRow.model).order_by(ApprovalRow.model)))


def must_be_approved(session: Session, model: str) -> None:
    """Raise model_needs_approval for a model that the owner has not said yes to."""
    if session.get(ApprovalRow, model) is None:
        raise AgentError(
            _(
                "“{model}” comes from Hugging Face and is new here. Ask {owner} or an admin to say yes to it, "
                "or choose one that is here already: /models.",
                model=model,
                owner=named_owner(load(session)),
            ),
            code=ErrorCode.model_needs_approval,
            param="model",
        )


def _find(session: Session, platform: str, kind: GrantKind, subject: str) -> GrantRow | None:
    where = (GrantRow.platform == platform, GrantRow.kind == kind, GrantRow.subject == subject)
    return session.scalars(sa.select(GrantRow).where(*where)).first()


def _add(
    session: Session, platform: str, kind: GrantKind, subject: str, *, name: str, role: Role, now: float
) -> GrantRow:
    row = GrantRow(platform=platform, kind=kind, subject=subject, name=name, role=role, created_at=int(now))
    session.add(row)
    session.flush()
    return row


def _not_the_owner(row: GrantRow) -> None:
    if row.role == Role.owner:
        raise AgentError(
            _(
                "{name} owns this machine, and that can be changed only at the machine itself.",
                name=row.name or row.subject,
            ),
            code=ErrorCode.not_allowed,
        )


def _to_grant(row: GrantRow) -> Grant:
    return Grant(
        platform=row.platform,
        kind=GrantKind(row.kind),
        id=row.subject,
        name=row.name,
        role=Role(row.role),
        created_at=row.created_at,
    )
