from agent.data.split import split_rows, split_sizes


def test_a_hundred_rows_are_split_three_ways() -> None:
    assert split_sizes(100) == (80, 10, 10)


def test_below_a_hundred_validation_doubles_as_test() -> None:
    assert split_sizes(99) == (89, 10, 0)
    assert split_sizes(10) == (8, 2, 0)


def test_every_row_is_in_exactly_one_part() -> None:
    split = split_rows(104, seed=7)
    assert sorted([*split.train, *split.validation, *split.test]) == list(range(104))


def test_the_seed_alone_decides() -> None:
    assert split_rows(50, seed=1) == split_rows(50, seed=1)
    assert split_rows(50, seed=1) != split_rows(50, seed=2)
