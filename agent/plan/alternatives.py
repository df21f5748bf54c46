"""What would fit instead of a plan that does not: whole plans, each made anew. Pure but for the ids of plans."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from agent.errors import AgentError
from agent.plan.defaults import asked
from agent.plan.presets import RULES
from shared.errors import ErrorCode
from shared.hyperparameters import MOVING
from shared.language import N_, _
from shared.plans import Alternative, Plan, PlanRequest

LENGTHS = (16384, 12288, 8192, 6144, 4096, 3072, 2048, 1536, 1024, 768, 512, 384, 256, 192, 128, 96, 64)  # tokens a row
RANKS = (64, 32, 16, 8, 4)
OF_THIS_MODEL = 2
IN_ALL = 3
TOO_LITTLE = {ErrorCode.insufficient_memory, ErrorCode.insufficient_disk}

MakePlan = Callable[[PlanRequest], Plan]  # for one model; raises AgentError when it does not fit


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A plan that fits, and in what it differs from what was asked."""

    title: str
    plan: Plan

    def as_alternative(self) -> Alternative:
        """Return it as a refusal carries it."""
        plan = self.plan
        return Alternative(
            plan=plan.id, title=self.title, model=plan.model, minutes=plan.minutes, memory_mib=plan.memory_mib
        )


def offers_of_this_model(
    request: PlanRequest, make: MakePlan, *, length: int | None = None, limit: int = OF_THIS_MODEL
) -> list[Offer]:
    """Return plans of the same model that fit, the one that gives up least first.

    `length` is the max_length that was refused, in tokens; None: what was asked for, or what the preset makes usual.
    """
    length = length or _length_of(request)
    found: list[Offer] = []
    for way in _ways(request, length):
        offer = _first_that_fits(way, make)
        found += [offer] if offer is not None else []
        if len(found) == limit:
            return found
    if not found:
        offer = _first_that_fits(_last_way(request, length), make)
        found += [offer] if offer is not None else []
    return found


def offers_of_longer_rows(request: PlanRequest, make: MakePlan, *, lengths: Sequence[int]) -> list[Offer]:
    """Return plans that fit and learn from most answers, where the max_length that was asked for cuts those away.

    `lengths` are tokens a row, the first of them what `auto` makes of it.
    """
    automatic, *others = lengths
    asks: list[tuple[int, object]] = [(automatic, "auto"), *((n, n) for n in others)]
    ways = ([(_("{n} tokens a row", n=n), changed(request, {"max_length": ask}))] for n, ask in asks)
    found = [offer for way in ways if (offer := _first_that_fits(way, make)) is not None]
    return found or offers_of_this_model(changed(request, {"max_length": "auto"}), make, length=automatic)


def offer_of_another(request: PlanRequest, model: str, make: MakePlan, *, length: int | None = None) -> Offer | None:
    """Return a plan of another model as near to the request as fits; None where nothing of it does."""
    request = request.model_copy(update={"model": model})
    as_asked = _first_that_fits([(model, request)], make)
    lighter = as_asked or next(iter(offers_of_this_model(request, make, length=length, limit=1)), None)
    return None if lighter is None else Offer(title=model, plan=lighter.plan)


Way = Sequence[tuple[str, PlanRequest]]  # ever lighter requests, each with what it gives up


def _ways(request: PlanRequest, length: int) -> Iterator[Way]:
    """Yield what can be given up: batch and checkpointing, kind of adapter, 4 bits, length, rank."""
    free = _FREE
    yield [(_("fewer rows at once"), changed(request, free))]
    wishes = request.method.hyperparameters
    if wishes.use_dora is True or wishes.init_lora_weights in MOVING:
        free = free | _PLAIN_ADAPTER
        yield [(_("plain LoRA"), changed(request, free))]
    if asked(wishes.load_in_4bit) is False or wishes.load_in_8bit is True:
        free = free | _IN_4_BITS
        yield [(_("in 4 bits"), changed(request, free))]
    yield [(_("{n} tokens a row", n=n), changed(request, free | {"max_length": n})) for n in _shorter(length)]
    yield [(_("rank {r}", r=n), changed(request, free | _rank(n))) for n in _smaller(request)]


def _last_way(request: PlanRequest, length: int) -> Way:
    """Return what is left where no one thing is enough: everything at once."""
    r = min([*_smaller(request), asked(request.method.hyperparameters.r) or RANKS[-1]])
    least = _FREE | _PLAIN_ADAPTER | _IN_4_BITS | _rank(r)
    title = N_("{n} tokens, rank {r}")
    return [(_(title, n=n, r=r), changed(request, least | {"max_length": n})) for n in _shorter(length)]


_FREE: dict[str, object] = {"per_device_train_batch_size": "auto", "activation_checkpointing": "auto"}
_PLAIN_ADAPTER: dict[str, object] = {"use_dora": "auto", "init_lora_weights": "auto"}
_IN_4_BITS: dict[str, object] = {"load_in_4bit": "auto", "load_in_8bit": "auto"}


def _rank(r: int) -> dict[str, object]:
    return {"r": r, "lora_alpha": "auto"}


def _length_of(request: PlanRequest) -> int:
    return asked(request.method.hyperparameters.max_length) or RULES[request.preset].max_length


def _shorter(length: int) -> list[int]:
    return [shorter for shorter in LENGTHS if shorter < length]


def _smaller(request: PlanRequest) -> list[int]:
    r = asked(request.method.hyperparameters.r) or RULES[request.preset].r
    return [smaller for smaller in RANKS if smaller < r]


def changed(request: PlanRequest, change: dict[str, object]) -> PlanRequest:
    """Return the request with some hyperparameters replaced."""
    return request.model_copy(update={"method": request.method.changed(change)})


def _first_that_fits(way: Way, make: MakePlan) -> Offer | None:
    """Search a way by halves: as it gets lighter it fits at some point, and may later cut too many answers away."""
    plans: dict[int, Plan] = {}

    def is_light_enough(index: int) -> bool:
        try:
            plans[index] = make(way[index][1])
        except AgentError as error:
            return error.code not in TOO_LITTLE
        return True

    first = bisect_left(range(len(way)), True, key=is_light_enough)
    return Offer(title=way[first][0], plan=plans[first]) if first in plans else None
