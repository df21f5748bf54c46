"""The same rows, however they were packed; and what is packed to harm is refused while it is read."""

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from agent.base_models.card import BaseModelCard
from agent.data.findings import InspectRequest
from agent.data.readers.formats import read_rows
from agent.errors import AgentError
from shared.errors import ErrorCode
from tests.agent.data.child import ask_child

ROWS = [{"prompt": f"Question {n}", "completion": f"Answer {n}, “quoted”"} for n in range(12)]
JSONL = "".join(json.dumps(row) + "\n" for row in ROWS).encode()


def zipped(*files: tuple[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return packed.getvalue()


def as_parquet() -> bytes:
    table = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(ROWS), table)
    return table.getvalue()


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "upload"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "content",
    [
        JSONL,
        gzip.compress(JSONL),
        gzip.compress(JSONL[:300]) + gzip.compress(JSONL[300:]),
        zipped(("rows.txt", JSONL)),
        zipped(("data/", b""), ("data/rows.jsonl", JSONL), ("__MACOSX/data/._rows.jsonl", b"x"), (".DS_Store", b"x")),
        zipped(("README.md", b"# Rows"), ("data/rows.jsonl", JSONL), ("LICENSE", b"MIT"), ("data/notes.md", b"x")),
        zipped(("rows.jsonl.gz", gzip.compress(JSONL))),
        as_parquet(),
        gzip.compress(as_parquet()),
        zipped(("rows.parquet", as_parquet())),
        JSONL.decode().encode("utf-16"),
        b"\xfe\xff" + JSONL.decode().encode("utf-16-be"),
    ],
    ids=[
        "plain",
        "gzip",
        "gzip of two",
        "zip",
        "zip of a Mac",
        "zip with a readme",
        "gz in a zip",
        "parquet",
        "parquet.gz",
        "parquet.zip",
        "utf-16",
        "utf-16-be",
    ],
)
def test_the_same_rows_come_out_of_every_packing(tmp_path: Path, content: bytes) -> None:
    assert [row.value for row in read_rows(written(tmp_path, content))] == ROWS


def encrypted() -> bytes:
    packed = bytearray(zipped(("rows.jsonl", JSONL)))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        packed[packed.index(mark) + at] |= 1
    return bytes(packed)


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (gzip.compress(JSONL)[:-20], ErrorCode.dataset_broken, "archive is broken or cut off"),
        (zipped(("rows.jsonl", JSONL))[:-30], ErrorCode.dataset_broken, "zip archive is broken"),
        (zipped(("a.jsonl", JSONL), ("b.jsonl", JSONL)), ErrorCode.dataset_broken, "holds 2 files .a.jsonl, b.jsonl."),
        (zipped(("only/", b"")), ErrorCode.dataset_broken, "holds 0 files"),
        (zipped(), ErrorCode.dataset_not_text, "an empty zip archive"),
        (
            zipped(("[Content_Types].xml", b"<"), ("xl/workbook.xml", b"<")),
            ErrorCode.dataset_broken,
            "cannot be read as a workbook",
        ),
        (zipped(("a.xml", b"<"), ("word/document.xml", b"<")), ErrorCode.dataset_not_text, "a Word document"),
        (zipped(("mimetype", b"a"), ("META-INF/manifest.xml", b"<")), ErrorCode.dataset_not_text, "an OpenDocument"),
        (zipped(("a.png", b"A"), ("b.png", b"B")), ErrorCode.dataset_broken, "holds 2 files"),
        (zipped(("a.gz", gzip.compress(gzip.compress(JSONL)))), ErrorCode.dataset_not_text, "a gzip archive"),
        (encrypted(), ErrorCode.dataset_broken, "has a password"),
        (zipped(("inner.zip", zipped(("rows.jsonl", JSONL)))), ErrorCode.dataset_not_text, "a zip archive"),
        (gzip.compress(gzip.compress(JSONL)), ErrorCode.dataset_not_text, "a gzip archive"),
        (gzip.compress(b"\x7fELF"), ErrorCode.dataset_not_text, "a program"),
        (gzip.compress(b""), ErrorCode.dataset_empty, "empty"),
        (as_parquet()[:-40], ErrorCode.dataset_broken, "Parquet file cannot be read"),
        (b"\xff\xfe" + b"\x00\xd8" * 8, ErrorCode.dataset_not_text, "begins as UTF-16 and is not"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_packed_wrong_says_what_is_wrong(tmp_path: Path, content: bytes, code: ErrorCode, words: str) -> None:
    with pytest.raises(AgentError, match=words) as refused:
        list(read_rows(written(tmp_path, content)))
    assert refused.value.code is code


@pytest.mark.parametrize("pack", [gzip.compress, lambda content: zipped(("rows.jsonl", content))], ids=["gzip", "zip"])
def test_what_unpacks_to_too_much_is_refused_while_it_is_read(
    tmp_path: Path, pack: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.data.readers.containers.SMALL_BYTES", 1 << 20)
    bomb = pack(b'{"prompt": "a", "completion": "b"}\n' + b" " * (64 << 20))
    with pytest.raises(AgentError, match="unpacks to more than") as refused:
        list(read_rows(written(tmp_path, bomb)))
    assert refused.value.code is ErrorCode.file_too_large


def test_a_gzip_in_many_parts_is_read_and_one_in_thousands_of_tiny_ones_refused(tmp_path: Path) -> None:
    parts = [gzip.compress(JSONL[at : at + 100]) for at in range(0, len(JSONL), 100)]
    assert len(list(read_rows(written(tmp_path, gzip.compress(b"") * 900 + b"".join(parts) + bytes(512))))) == len(ROWS)
    with pytest.raises(AgentError, match="more than 1000 tiny parts"):
        list(read_rows(written(tmp_path, gzip.compress(b"") * 20_000 + gzip.compress(JSONL))))


@pytest.mark.process
@pytest.mark.parametrize("content", [as_parquet(), gzip.compress(JSONL)], ids=["parquet", "gzip"])
async def test_the_limited_child_reads_them_too(tmp_path: Path, content: bytes, smollm2_card: BaseModelCard) -> None:
    request = InspectRequest(dataset=str(written(tmp_path, content)), card=smollm2_card)
    reply = await ask_child(request)
    assert reply.error is None
    assert reply.findings is not None
    assert reply.findings.rows == len(ROWS)
