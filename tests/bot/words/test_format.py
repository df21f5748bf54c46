import pytest

from bot.words.format import (
    bar,
    duration,
    flow,
    mebibytes,
    minutes_range,
    number,
    percent,
    plain,
    safe_file_name,
    short,
    size,
    size_range,
    split_message,
)


def test_unknown_is_a_dash_never_zero_or_nan() -> None:
    shown = [number(None), number(float("nan")), number(float("inf")), duration(None), size(None), mebibytes(None)]
    assert shown == ["–"] * 6
    assert percent(1, 0) == "–"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "1 h"), (7500, "2 h 5 min"), (100_800, "1 d 4 h")],
)
def test_durations_read_as_one_says_them(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [(0.2, 0.6, "under 1 min"), (3.2, 5.1, "3 to 5 min"), (3.9, 4.2, "about 4 min"), (50, 100, "50 min to 1 h 40 min")],
)
def test_estimates_stay_ranges(low: float, high: float, shown: str) -> None:
    assert minutes_range(low, high) == shown


def test_sizes_name_their_unit_once_where_both_ends_share_it() -> None:
    assert size_range(410, 450) == "410 to 450 MiB"
    assert size_range(900, 1150) == "900 MiB to 1.1 GiB"
    assert size_range(410, 410.2) == "about 410 MiB"
    assert [size(812), size(4300), size(138 * 2**20)] == ["812 B", "4.2 KiB", "138 MiB"]


def test_the_bar_is_full_only_at_the_end() -> None:
    assert bar(44, 45, width=10) == "▓▓▓▓▓▓▓▓▓░"
    assert bar(45, 45, width=10) == "▓" * 10
    assert bar(0, 0, width=4) == "░░░░"


def test_small_figures_are_written_without_powers_of_ten() -> None:
    assert [short(2e-4), short(1e-6), short(3.0), short(2.5)] == ["0.0002", "0.000001", "3", "2.5"]


def test_plain_text_moves_no_cursor_and_turns_no_reading_direction() -> None:
    hostile = "a\x1b[2Jb\x1b]0;title\x07c\u202ed\x9b1me\rf\u2066g\x00\ud800"
    assert plain(hostile) == "abcd1mefg"
    assert plain("keeps\nlines and 👩‍🔬") == "keeps\nlines and 👩‍🔬"


def test_each_paragraph_is_one_line() -> None:
    assert flow("one  two\n\nthree", first="- ", rest="  ") == ["- one two", "  three"]
    assert len(flow("word " * 30)) == 1


def test_messages_split_at_lines_and_lose_nothing() -> None:
    text = "\n".join(f"line {number}" for number in range(50))
    parts = split_message(text, 60)
    assert max(map(len, parts)) <= 60
    assert "\n".join(parts) == text
    assert "".join(split_message("x" * 130, 60)) == "x" * 130


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("..", "file"),
        ("CON.txt", "file-CON.txt"),
        ("my file\x1b[2J.jsonl", "my-file.jsonl"),
        (".bashrc", "bashrc"),
    ],
)
def test_a_file_name_stays_one_file_in_one_folder(sent: str, kept: str) -> None:
    assert safe_file_name(sent) == kept


def test_a_long_file_name_keeps_its_ending() -> None:
    name = safe_file_name("a" * 300 + ".safetensors")
    assert len(name) <= 100
    assert name.endswith(".safetensors")
