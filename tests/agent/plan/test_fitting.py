from agent.base_models.catalog import Candidate
from agent.base_models.known import KNOWN
from agent.plan.fitting import best_first
from agent.plan.memory import MIB, estimate_memory
from agent.plan.setup import TrainingSetup
from shared.hyperparameters import Method
from shared.models import Model
from shared.plans import PlanRequest, Preset
from tests.agent.plan.cases import card_of, findings, machine, planned

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


def test_a_model_without_fused_attention_is_judged_with_its_scores() -> None:
    (gemma,) = [known for known in KNOWN if known.id == "google/gemma-2-2b-it"]
    candidate = next(each for each in CANDIDATES if each.model.id == gemma.id)
    (listed,) = best_first([candidate], machine(device="cuda", free_mib=23_000), [])
    fused = TrainingSetup(device="cuda", rows=1, length=512, activation_checkpointing=True)
    scores = 14 * gemma.shape.heads * 512**2 / MIB
    assert (listed.memory_mib or 0) > estimate_memory(gemma.shape, fused).total + 0.5 * scores

    long = findings(longest=4000, trained_share=0.1)
    request = PlanRequest(model=gemma.id, training_file="file-1", method=Method(), preset=Preset.thorough)
    on = machine(device="cuda", free_mib=80_000)
    card = card_of(gemma.shape, name=gemma.id)
    llama = card_of(gemma.shape.model_copy(update={"model_type": "gemma3_text"}), name=gemma.id)
    eager, sdpa = (planned(request, each, long, on) for each in (card, llama))
    needed = [plan.memory_mib.high / plan.settings.per_device_train_batch_size for plan in (eager, sdpa)]
    assert needed[0] > 1.3 * needed[1]
