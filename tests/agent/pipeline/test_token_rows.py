"""Rows on disk: read back as they were written, from anywhere, with little of them in memory."""

import sys
from pathlib import Path

import numpy as np
import psutil
import pytest

from agent.job_folder.folder import JobFolder
from agent.pipeline.token_rows import BLOCK_TOKENS, PARTS, TokenRow, read_rows, write_parts, writing_rows


def row(number: int, length: int) -> TokenRow:
    ids = [(number + place) % 50_000 for place in range(length)]
    return TokenRow(input_ids=ids, labels=[-100, *ids[1:]])


def written(path: Path, rows: list[TokenRow], parts: list[int]) -> JobFolder:
    folder = JobFolder(path=path)
    with writing_rows(folder) as writer:
        for each in rows:
            writer.add(each.input_ids, each.labels)
    write_parts(folder, np.array(parts, dtype=np.uint8))
    return folder


def test_rows_are_read_as_they_were_written(tmp_path: Path) -> None:
    rows = [row(number, 1000 + number) for number in range(3 * BLOCK_TOKENS // 1000)]
    folder = written(tmp_path, rows, [number % 3 for number in range(len(rows))])
    for number, part in enumerate(PARTS):
        read, expected = read_rows(folder, part), rows[number::3]
        assert list(read) == expected
        assert read.lengths.tolist() == [len(each.input_ids) for each in expected]
        assert (read[-1], read[2:5]) == (expected[-1], expected[2:5])


def test_a_part_may_have_no_rows(tmp_path: Path) -> None:
    assert not read_rows(written(tmp_path, [row(1, 5)], [0]), "test")
    assert not read_rows(written(tmp_path, [], []), "train")


def test_rows_that_an_earlier_version_prepared_are_taken_over(tmp_path: Path) -> None:
    folder = JobFolder(path=tmp_path)
    rows = [row(number, 5 + number) for number in range(6)]
    (tmp_path / "rows").mkdir()
    for number, part in enumerate(PARTS):
        lines = [f"{each.model_dump_json()}\n" for each in rows[2 * number : 2 * number + 2]]
        (tmp_path / "rows" / f"{part}.jsonl").write_text("".join(lines))
    assert [list(read_rows(folder, part)) for part in PARTS] == [rows[:2], rows[2:4], rows[4:]]
    assert sorted(path.name for path in (tmp_path / "rows").iterdir()) == ["parts.npy", "tokens.arrow"]


def test_writing_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OverflowError), writing_rows(JobFolder(path=tmp_path)) as writer:
        writer.add([2**40], [1])
    assert not list((tmp_path / "rows").iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="pages of a memory map are counted by Linux alone")
def test_a_pass_over_the_rows_does_not_hold_them(tmp_path: Path) -> None:
    folder = written(tmp_path, [row(number, 2048) for number in range(4000)], [0] * 4000)  # 62 MiB
    rows, process = read_rows(folder, "train"), psutil.Process()
    before, most = process.memory_info().shared, 0
    for number, _row in enumerate(rows):
        most = max(most, process.memory_info().shared if number % 50 == 0 else 0)
    assert most - before < 25 << 20
