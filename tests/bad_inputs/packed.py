"""Archives made to harm."""

import io
import stat
import struct
import tarfile
import zipfile
from typing import Literal

END = struct.Struct("<4s4H2LH")


def zipped(content: bytes, name: str = "rows.jsonl") -> bytes:
    """Pack one file."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        file.writestr(name, content)
    return archive.getvalue()


def lying_zip(content: bytes, *, size: int) -> bytes:
    """Pack one file, whose size in the central directory is another."""
    archive = bytearray(zipped(content))
    archive[(at := archive.index(b"PK\x01\x02") + 24) : at + 4] = struct.pack("<L", size)
    return bytes(archive)


def nested(content: bytes, depth: int) -> bytes:
    """Pack a zip in a zip in a zip."""
    for _ in range(depth):
        content = zipped(content, "inner.zip")
    return content


def zip_of_many(count: int) -> bytes:
    """Return a central directory of many empty files, which all lie at the same place."""
    first = zipped(b"", "a")
    at, end = first.index(b"PK\x01\x02"), first.index(b"PK\x05\x06")
    directory = first[at:end] * count
    return first[:at] + directory + END.pack(b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, len(directory), at, 0)


def overlapping_zip() -> bytes:
    """Return two files, of which the second begins inside the first."""
    inner = zipped(b"toast " * 1000, "b.jsonl")
    local = inner[: inner.index(b"PK\x01\x02")]
    outer = io.BytesIO()
    with zipfile.ZipFile(outer, "w") as file:
        file.writestr("a.jsonl", local)
    archive = outer.getvalue()
    at, end = archive.index(b"PK\x01\x02"), archive.index(b"PK\x05\x06")
    second = bytearray(inner[inner.index(b"PK\x01\x02") : inner.index(b"PK\x05\x06")])
    second[42:46] = struct.pack("<L", archive.index(local))
    directory = archive[at:end] + second
    return archive[:at] + directory + END.pack(b"PK\x05\x06", 0, 0, 2, 2, len(directory), at, 0)


def special_zip(kind: Literal["link", "pipe"]) -> bytes:
    """Pack a link to a file of the system, or a pipe."""
    member = zipfile.ZipInfo("rows.jsonl")
    member.external_attr = ((stat.S_IFLNK if kind == "link" else stat.S_IFIFO) | 0o644) << 16
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(member, "/etc/passwd")
    return archive.getvalue()


def tarred(name: str, content: bytes) -> bytes:
    """Pack one file."""
    member = tarfile.TarInfo(name)
    member.size = len(content)
    return _tar((member, content))


def linking_tar() -> bytes:
    """Pack a link to the root, and a file behind it."""
    link = tarfile.TarInfo("a")
    link.type, link.linkname = tarfile.SYMTYPE, "/"
    behind = tarfile.TarInfo("a/etc/x")
    behind.size = 1
    return _tar((link, b""), (behind, b"x"))


def piped_tar() -> bytes:
    """Pack a pipe that nobody writes to."""
    pipe = tarfile.TarInfo("data.jsonl")
    pipe.type = tarfile.FIFOTYPE
    return _tar((pipe, b""))


def _tar(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as file:
        for member, content in members:
            file.addfile(member, io.BytesIO(content))
    return archive.getvalue()
