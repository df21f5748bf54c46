import random

from agent.pipeline.sampler import LengthGroupedSampler, grouped_order

DICE = random.Random(1)
LENGTHS = [DICE.randint(20, 400) for _ in range(101)]


def padding(order: list[int], batch_size: int) -> float:
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
