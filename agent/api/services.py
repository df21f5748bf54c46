"""What the handlers work with, made once at start and passed down."""

from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from agent.admission.disk import Disk
from agent.admission.in_flight import InFlight
from agent.auth.pairing import Pairing
from agent.base_models.catalog import Candidate
from agent.chat.answerer import Answerer
from agent.intake.intake import Intake
from agent.machine.gpu import Machine
from agent.running.held_memory import AsksWhatIsHeld, nothing_held
from agent.running.trainer_health import HealthSigns
from agent.settings import AgentSettings
from agent.store import Store


@dataclass(frozen=True, kw_only=True)
class Services:
    """The agent's parts, as the API sees them."""

    settings: AgentSettings
    key: str  # the bearer key
    store: Store
    intake: Intake
    answerer: Answerer
    machine: Callable[[], Machine]
    check_model: Callable[[str], object]  # raises AgentError model_unknown, model_is_path
    base_models: Callable[[], list[Candidate]]
    signs: Callable[[str], HealthSigns | None]  # how a job's trainer does, while one is watched
    warnings: Callable[[], list[str]]  # what the owner should see to
    disk: Disk
    clock: Callable[[], float]
    started_at: int
    version: str
    held: AsksWhatIsHeld = nothing_held  # by our own trainer and chat
    in_flight: InFlight = field(default_factory=InFlight)
    pairing: Pairing = field(default_factory=Pairing)
    keep_alive_s: float = 15.0  # between comments on a silent event stream

    def __repr__(self) -> str:
        return "Services(…)"  # the key stays out of logs


SERVICES = web.AppKey("services", Services)


def services_of(request: web.Request) -> Services:
    """Return the services of the app that serves this request."""
    return request.app[SERVICES]
