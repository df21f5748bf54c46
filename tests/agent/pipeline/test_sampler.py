import random
from collections.abc import Sequence

from agent.pipeline.sampler import LengthGroupedSampler, grouped_order

DICE = random.Random(1)
LENGTHS = [DICE.randint(20, 400) for _ in range(101)]
ORDER = [21, 2, 6, 17, 14, 9, 15, 8, 12, 11, 10, 13, 22, 5, 0, 1, 7, 16, 3, 20, 19, 4, 18]


def padding(order: Sequence[int], batch_size: int) -> float:
    batches = [order[at : at + batch_size] for at in range(0, len(order), batch_size)]
    padded = sum(max(LENGTHS[row] for row in batch) * len(batch) for batch in batches)
    return 1 - sum(LENGTHS) / padded


def test_every_row_comes_once() -> None:
    assert sorted(grouped_order(LENGTHS, batch_size=4, seed=1, epoch=0)) == list(range(101))


def test_little_is_padded() -> None:
    shuffled = list(range(101))
    random.Random(1).shuffle(shuffled)
    grouped = grouped_order(LENGTHS, batch_size=4, seed=1, epoch=0)
    assert padding(grouped, 4) < 0.15 < padding(shuffled, 4)


def test_the_order_depends_on_seed_and_epoch_alone() -> None:
    sampler = LengthGroupedSampler(LENGTHS, batch_size=4, seed=1)
    first = list(sampler)
    assert list(sampler) == first
    sampler.set_epoch(1)
    assert list(sampler) != first
    sampler.set_epoch(0)
    assert list(sampler) == first


def test_a_seed_orders_as_it_did_in_every_version() -> None:
    lengths = [number * number % 23 for number in range(23)]
    assert list(grouped_order(lengths, batch_size=2, seed=7, epoch=1)) == ORDER
