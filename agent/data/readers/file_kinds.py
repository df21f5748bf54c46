"""What a file is that is no text, by its first bytes or by what it packs; most of these are refused in words."""

import codecs

from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.language import N_, _

GZIP, ZIP, PARQUET, OLE = b"\x1f\x8b", b"PK\x03\x04", b"PAR1", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
NO_TEXT = {
    GZIP: N_("a gzip archive"),
    ZIP: N_("a zip archive"),
    b"PK\x05\x06": N_("an empty zip archive"),
    b"BZh": N_("a bzip2 archive"),
    b"7z\xbc\xaf": N_("a 7z archive"),
    b"%PDF": N_("a PDF"),
    b"\xfd7zXZ": N_("an xz archive"),
    b"\x28\xb5\x2f\xfd": N_("a Zstandard archive"),
    b"Rar!": N_("a RAR archive"),
    b"PARE": N_("an encrypted Parquet file"),
    b"ARROW1": N_("an Arrow file"),
    b"FEA1": N_("a Feather file"),
    **{bytes((0x80, protocol)): N_("a pickle") for protocol in range(2, 6)},
    codecs.BOM_UTF32_LE: N_("UTF-32 text"),
    codecs.BOM_UTF32_BE: N_("UTF-32 text"),
    b"GGUF": N_("a GGUF model"),
    b"\x7fELF": N_("a program"),
    b"\x89PNG": N_("a picture"),
    b"\xff\xd8\xff": N_("a picture"),
    b"SQLite format 3": N_("a database"),
}
TAR, TAR_AT = b"ustar", 257
WORKBOOKS = ("xl/workbook.xml", "xl/workbook.bin")  # what one packs
SPREADSHEET = b"application/vnd.oasis.opendocument.spreadsheet"
OFFICE = {  # by a file that each of them packs
    "word/document.xml": N_("The file is a Word document. Save it as plain text (UTF-8) and send that."),
    "ppt/presentation.xml": N_("The file is a PowerPoint presentation. Save its text as plain text and send that."),
    "META-INF/manifest.xml": N_(
        "The file is an OpenDocument file, as LibreOffice writes it, and no table. Save its text as plain text (UTF-8) "
        "and send that."
    ),
}


def is_workbook(names: set[str], mimetype: bytes) -> bool:
    """Say whether a zip of these files is a workbook of Excel or LibreOffice."""
    return any(name in names for name in WORKBOOKS) or mimetype.startswith(SPREADSHEET)


def refuse_office(names: set[str]) -> None:
    """Refuse what an office program saved: inside it is a zip of many files, which whoever sends it never saw."""
    for mark, refused in OFFICE.items():
        if mark in names:
            raise AgentError(_(refused), code=ErrorCode.dataset_not_text)


def refuse_no_text(head: bytes) -> None:
    """Refuse what begins as no text does."""
    for magic, kind in ((TAR, N_("a tar archive")), *NO_TEXT.items()):
        if head.startswith(magic, TAR_AT if magic == TAR else 0):
            raise AgentError(
                _(
                    "The file is {kind}, not a dataset. Send the rows as JSONL, JSON, CSV, Excel or Parquet.",
                    kind=_(kind),
                ),
                code=ErrorCode.dataset_not_text,
            )
    if b"\x00" in head and not head.startswith(UTF_16):
        raise AgentError(
            _("The file is not text. Save it as UTF-8 (JSONL, JSON or CSV) and send it again."),
            code=ErrorCode.dataset_not_text,
        )
