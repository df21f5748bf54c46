from agent.data.split import split_rows
from agent.data.split_sizes import split_sizes

VALIDATION = [0, 7, 24, 31, 38, 55, 62, 69, 86, 93]
TEST = [9, 14, 17, 22, 40, 45, 48, 53, 71, 76, 79, 84]


def test_a_hundred_rows_are_split_three_ways() -> None:
    assert split_sizes(100) == (80, 10, 10)


def test_below_a_hundred_validation_doubles_as_test() -> None:
    assert split_sizes(99) == (89, 10, 0)
    assert split_sizes(10) == (8, 2, 0)


def test_every_row_is_in_exactly_one_part() -> None:
    split = split_rows(range(104), seed=7)
    assert sorted([*split.train, *split.validation, *split.test]) == list(range(104))


def test_the_seed_alone_decides() -> None:
    assert split_rows(range(50), seed=1) == split_rows(range(50), seed=1)
    assert split_rows(range(50), seed=1) != split_rows(range(50), seed=2)


def test_no_held_out_row_has_a_copy_among_the_trained_ones() -> None:
    rows = [number % 80 for number in range(120)]
    split = split_rows(rows, seed=3)
    trained = {rows[number] for number in split.train}
    assert not trained & {rows[number] for number in [*split.validation, *split.test]}
    assert len(split.validation) == len(split.test) == 12


def test_a_seed_splits_as_it_did_in_every_version() -> None:
    split = split_rows(range(40), seed=42)
    assert (list(split.validation), list(split.test)) == ([3, 9, 10, 36], [])
    split = split_rows([number * number % 31 - 9 for number in range(100)], seed=42)
    assert (list(split.validation), list(split.test)) == (VALIDATION, TEST)
