from agent.base_models.catalog import Candidate
from agent.base_models.known import KNOWN
from agent.plan.fitting import best_first
from shared.models import Model
from tests.agent.plan.cases import machine

CANDIDATES = [
    Candidate(
        model=Model(id=known.id, created=0, owned_by="x", kind="base", parameters=known.parameters), shape=known.shape
    )
    for known in KNOWN
]
UNREAD = Candidate(model=Model(id="unread", created=0, owned_by="local", kind="base"), shape=None)


def test_on_a_gpu_the_largest_that_fits_comes_first_and_what_does_not_comes_last() -> None:
    models = best_first([UNREAD, *CANDIDATES], machine(device="cuda", free_mib=23_000), [])
    assert models[0].fits
    assert (models[0].parameters or 0) > 13e9
    fits = [model.fits for model in models]
    assert fits.index(False) == fits.count(True)  # none that fits after one that does not
    assert models[-1].id == "unread"
    assert models[-1].memory_mib is None


def test_on_a_cpu_what_is_done_in_a_night_comes_before_what_takes_days() -> None:
    models = best_first(CANDIDATES, machine(free_mib=64_000), [])
    assert (models[0].parameters or 0) < 2e9
    assert (models[0].usual_hours or 0) <= 8
