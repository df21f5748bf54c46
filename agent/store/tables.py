"""The tables. What clients see is a model in `shared`; these rows stay inside `agent.store`."""

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, MetaData, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Constraints have names, so that a later migration can speak of them."""

    type_annotation_map = {int: BigInteger().with_variant(Integer, "sqlite")}  # SQLite's own INTEGER has 64 bits
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Requested:
    """On whose behalf a row was made; all null: the owner of the key."""

    platform: Mapped[str | None]
    person: Mapped[str | None]
    chat: Mapped[str | None]
    person_name: Mapped[str | None]  # as others read it then
    language: Mapped[str | None]  # in which they are answered


class FileRow(Requested, Base):
    """A dataset under files/, or a result inside a job's folder."""

    __tablename__ = "files"
    __table_args__ = (Index(None, "job_id"), {"sqlite_autoincrement": True})
    number: Mapped[int] = mapped_column(primary_key=True)  # the order of arrival
    id: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[int]
    used_at: Mapped[int]  # of a dataset: when it was sent, read, planned with or put to a job last
    filename: Mapped[str]  # safe to show
    purpose: Mapped[str]
    bytes: Mapped[int]
    sha256: Mapped[str]
    path: Mapped[str]  # relative to the data folder
    job_id: Mapped[str | None] = mapped_column(ForeignKey("jobs.id"))
    parent: Mapped[str | None]  # the file it was made from, which may be gone


class InspectionRow(Base):
    """What was understood of a file, and for a while what a plan needs to know of it."""

    __tablename__ = "inspections"
    id: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[int]
    file_id: Mapped[str] = mapped_column(ForeignKey("files.id", ondelete="CASCADE"), index=True)
    model: Mapped[str]
    mapping: Mapped[str | None] = mapped_column(Text)  # shared.mapping.Mapping, as asked
    status: Mapped[str] = mapped_column(index=True)
    inspection: Mapped[str] = mapped_column(Text)  # shared.inspections.Inspection
    findings: Mapped[str | None] = mapped_column(Text)  # agent.data.findings.Findings
    card: Mapped[str | None] = mapped_column(Text)  # agent.base_models.card.BaseModelCard


class PlanRow(Requested, Base):
    """A plan, and what a job needs beyond it."""

    __tablename__ = "plans"
    id: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[int]
    expires_at: Mapped[int]
    file_id: Mapped[str]
    form: Mapped[str]
    plan: Mapped[str] = mapped_column(Text)  # shared.plans.Plan
    card: Mapped[str] = mapped_column(Text)  # agent.base_models.card.BaseModelCard


class JobRow(Requested, Base):
    """A job, from its creation on; `number` is what people say."""

    __tablename__ = "jobs"
    __table_args__ = (Index(None, "status"), Index(None, "ollama_name"), {"sqlite_autoincrement": True})
    number: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[int]
    started_at: Mapped[int | None]
    finished_at: Mapped[int | None]
    status: Mapped[str]
    stage: Mapped[str | None]
    model: Mapped[str]
    training_file: Mapped[str]
    validation_file: Mapped[str | None]  # null: a part of the training rows is held out
    suffix: Mapped[str | None]  # null until planned, if none was asked for
    seed: Mapped[int]
    method: Mapped[str] = mapped_column(Text)  # shared.hyperparameters.Method, as asked
    mapping: Mapped[str | None] = mapped_column(Text)  # shared.mapping.Mapping, as asked
    labels: Mapped[str | None] = mapped_column(Text)  # OpenAI's metadata, a JSON object
    plan_id: Mapped[str | None] = mapped_column(ForeignKey("plans.id"))
    ollama_name: Mapped[str | None]  # given when it starts
    fine_tuned_model: Mapped[str | None]  # the same, once verified
    queue_position: Mapped[int | None]  # as last announced
    trained_tokens: Mapped[int | None]
    progress: Mapped[str | None] = mapped_column(Text)  # shared.jobs.Progress
    error: Mapped[str | None] = mapped_column(Text)  # shared.jobs.JobError
    result: Mapped[str | None] = mapped_column(Text)  # shared.results.JobResult
    cancel_requested: Mapped[bool]
    tail_offset: Mapped[int]  # bytes of events.jsonl that are in `events`
    start_at: Mapped[int | None]  # not before, as asked
    stage_detail: Mapped[str | None]
    pause_wish: Mapped[str | None]  # shared.jobs.PauseReason: asked of a job that still runs
    paused_for: Mapped[str | None]  # the same, of a paused job
    attempt: Mapped[int] = mapped_column(default=1)  # of agent.attempts.ATTEMPTS
    died_stages: Mapped[int | None]  # how far it had come when its trainer last died: agent.attempts.Reached
    died_step: Mapped[int | None]
    worker: Mapped[str | None]  # where it runs, or ran last: a name in `workers`
    boot: Mapped[str | None]  # which run of the system its trainer was last started in; None from a claim to that start


class WorkerRow(Base):
    """A place where jobs train: agent.scheduling.worker.Worker."""

    __tablename__ = "workers"
    name: Mapped[str] = mapped_column(primary_key=True)
    device: Mapped[str]
    memory_mib: Mapped[int]


class EventRow(Base):
    """One event; `cursor` numbers them over the whole agent and is never given out twice."""

    __tablename__ = "events"
    __table_args__ = (
        UniqueConstraint("job_id", "sequence"),
        Index(None, "job_id", "kind"),
        {"sqlite_autoincrement": True},
    )
    cursor: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"))
    sequence: Mapped[int]
    kind: Mapped[str]
    record: Mapped[str] = mapped_column(Text)  # shared.events.EventRecord


class AgentRow(Base):
    """The one row about the agent itself."""

    __tablename__ = "agent"
    id: Mapped[int] = mapped_column(primary_key=True)
    paused: Mapped[bool]


class GrantRow(Base):
    """What one person, role, chat or server is to this machine."""

    __tablename__ = "grants"
    __table_args__ = (UniqueConstraint("platform", "kind", "subject"), {"sqlite_autoincrement": True})
    number: Mapped[int] = mapped_column(primary_key=True)  # the order of arrival
    platform: Mapped[str]
    kind: Mapped[str]  # shared.people.GrantKind
    subject: Mapped[str]  # the platform's id of the person, role, chat or server
    name: Mapped[str]  # as it was called then
    role: Mapped[str]  # shared.people.Role: owner, admin, member or denied
    created_at: Mapped[int]


class ApprovalRow(Base):
    """A model from Hugging Face that the owner said yes to."""

    __tablename__ = "approvals"
    model: Mapped[str] = mapped_column(primary_key=True)
    approved_at: Mapped[int]


class KeyRow(Base):
    """A key to the agent: who holds the secret behind the hash may do what its kind allows."""

    __tablename__ = "keys"
    name: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]  # agent.auth.keys.KeyKind
    digest: Mapped[str] = mapped_column(unique=True)  # SHA-256 of the secret, in hex
    platforms: Mapped[str]  # separated by spaces
    person: Mapped[str | None]
    created_at: Mapped[int]
    used_at: Mapped[int | None]
    revoked_at: Mapped[int | None]  # from then on it holds no more


class IdempotencyRow(Base):
    """Which job a create with this key made, and from which body."""

    __tablename__ = "idempotency_keys"
    key: Mapped[str] = mapped_column(primary_key=True)
    body_sha256: Mapped[str]
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"))
