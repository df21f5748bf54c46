"""Which files of a zip archive are read: the dataset beside pictures and documents, the split to train on, or texts.

Pure. Names only say which file is meant; what a file is, its content says.
"""

import re
import stat
import zipfile
from dataclasses import dataclass

from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.language import _

MEMBERS = 1000  # of an archive, looked through
DATA = re.compile(r"\.(?:jsonl|ndjson|json|csv|tsv|parquet|xlsx|xls|ods)(?:\.gz)?$", re.IGNORECASE)
TEXT = re.compile(r"\.(?:txt|md|markdown)(?:\.gz)?$", re.IGNORECASE)
HTML = re.compile(r"\.html?$", re.IGNORECASE)
ABOUT_DATA = re.compile(  # stands beside it
    r"(?:^|/)(?:(?:readme|licen[cs]e|notice|changelog|citation)[^/]*|datasets?_infos?\.json|state\.json|package\.json"
    r"|config[^/]*\.json)$",
    re.IGNORECASE,
)
OF_THE_SYSTEM = re.compile(r"(?:^|/)(?:__MACOSX/|\.|Thumbs\.db$|desktop\.ini$)", re.IGNORECASE)
TRAIN = re.compile(r"(?:^|[/_.\-])train(?:ing)?(?:[/_.\-]|$)", re.IGNORECASE)
HELD_OUT = re.compile(r"(?:^|[/_.\-])(?:tests?|testing|valid|validation|val|dev|eval)(?:[/_.\-]|$)", re.IGNORECASE)
_DIGITS = re.compile(r"\d+")
NAMED = 4  # of the files of an archive that is refused


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The members that are read, and the names of those that are not."""

    members: list[zipfile.ZipInfo]
    left: list[str]
    are_texts: bool


def choose_members(infos: list[zipfile.ZipInfo]) -> Chosen:
    """Return what is read of an archive; what systems add to archives does not count. Raises AgentError."""
    every = [it for it in infos[: MEMBERS + 1] if not it.is_dir()]
    files = [it for it in every if not OF_THE_SYSTEM.search(it.filename)] or every
    chosen = _chosen(files)
    if not chosen or len(infos) > MEMBERS:
        raise AgentError(
            _("The zip archive holds {count} files ({names}), and it is not clear which is the dataset. Send one with "
              "a single file in it, or call one train.", count=len(infos) if len(infos) > MEMBERS else len(files),
              names=", ".join(it.filename[-40:] for it in files[:NAMED])),
            code=ErrorCode.dataset_broken,
        )  # fmt: skip
    for member in chosen:
        _check(member)
    are_texts = all(TEXT.search(it.filename) for it in chosen)
    return Chosen(members=chosen, left=[it.filename for it in files if it not in chosen], are_texts=are_texts)


def _chosen(files: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    """Return the dataset: the only file, the only one with data, its parts, or all texts; nothing if that is open."""
    if len(files) == 1:
        return files
    about = [it for it in files if ABOUT_DATA.search(it.filename)]
    others = [it for it in files if it not in about]
    data = [it for it in others if DATA.search(it.filename)]
    for kind in (data, [it for it in data if TRAIN.search(it.filename)]):
        if len(kind) == 1 or (kind and len({_DIGITS.sub("", it.filename) for it in kind}) == 1):
            return kind
    if data:
        left = [it for it in data if not HELD_OUT.search(it.filename)]
        return left if len(left) == 1 < len(data) else []
    texts = [it for it in others if TEXT.search(it.filename) and it.file_size]
    pages = [it for it in others if HTML.search(it.filename)]
    return texts or next((kind for kind in (pages, others) if len(kind) == 1), [])


def _check(member: zipfile.ZipInfo) -> None:
    if stat.S_IFMT(member.external_attr >> 16) not in {0, stat.S_IFREG}:
        raise AgentError(
            _("“{name}” in the zip archive is a link or a device. Pack the file itself.", name=member.filename[-40:]),
            code=ErrorCode.dataset_broken,
        )
    if member.flag_bits & 1:
        raise AgentError(_("The zip archive has a password. Send it without one."), code=ErrorCode.dataset_broken)
