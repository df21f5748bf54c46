"""How a measurement is judged and printed."""

from tests.bench.figure import Bar, Figure, percentile, quantity


def test_a_figure_says_ours_theirs_ratio_and_bar_in_one_line() -> None:
    figure = Figure(
        what="training", ours=412.13, unit="real tokens/s", theirs=250.0, against="plain TRL script",
        bar=Bar(limit=1.5, kind="at least", of="ratio"),
    )  # fmt: skip
    assert figure.line() == (
        "training: 412 real tokens/s; plain TRL script 250 real tokens/s; ratio 1.65; bar at least 1.50 times: met"
    )


def test_a_missed_bar_is_said() -> None:
    figure = Figure(what="agent start", ours=3.2, unit="s", bar=Bar(limit=3.0))
    assert figure.is_missed
    assert figure.line() == "agent start: 3.20 s; bar at most 3.00 s: MISSED"


def test_a_figure_that_is_no_number_meets_no_bar() -> None:
    assert Figure(what="loss", ours=float("nan"), unit="", bar=Bar(limit=1e-4)).is_missed


def test_percentiles_are_values_that_were_measured() -> None:
    values = [float(value) for value in range(300, 0, -1)]
    assert (percentile(values, 50), percentile(values, 99), percentile(values, 100)) == (150.0, 297.0, 300.0)


def test_quantities_have_three_digits() -> None:
    assert [quantity(value) for value in (0.0, 0.00002, 0.01234, 1.234, 123.4, 6074.2)] == [
        "0", "2.0e-05", "0.0123", "1.23", "123", "6074",
    ]  # fmt: skip
