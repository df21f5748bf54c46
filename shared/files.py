"""Files: datasets in, results out. OpenAI's file object."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from shared.inspections import Fix
from shared.mapping import Mapping
from shared.people import RequestedBy
from shared.schema import Request, Response


class FilePurpose(StrEnum):
    """OpenAI's names for the two directions."""

    fine_tune = "fine-tune"  # a dataset, uploaded
    fine_tune_results = "fine-tune-results"  # made by a job: plot, report, adapter, GGUF, Modelfile


class FileObject(Response):
    """One stored file."""

    id: str  # file-…
    object: Literal["file"] = "file"
    bytes: int
    created_at: int  # seconds since 1970
    filename: str  # as its owner named it, made safe to show
    purpose: FilePurpose
    status: Literal["processed"] = "processed"  # OpenAI's field; a stored file is always ready
    sha256: str
    job_id: str | None = None  # for a result: the job that made it
    parent: str | None = None  # for a mended dataset: the file it was made from


class FixRequest(Request):
    """The body of POST /v1/files/{id}/fixes: a new file is made, the old one stays as it is."""

    model: str  # the base model whose tokens and length count
    fixes: Annotated[tuple[Fix, ...], Field(min_length=1)]
    mapping: Mapping | None = None  # how the file is read; what is made says it by itself
    requested_by: RequestedBy | None = None


class FixedFile(Response):
    """What a fix made, and what it did."""

    object: Literal["file.fixed"] = "file.fixed"
    file: FileObject  # its parent is the file that was mended
    rows: int  # in the new file
    removed: int  # usable rows that are not in it
    changed: int  # rows whose text is another


class FileList(Response):
    """Newest first."""

    object: Literal["list"] = "list"
    data: list[FileObject]
    has_more: bool = False


class UnusedDatasets(Response):
    """The answer of GET /v1/datasets/unused: what may be removed by who asks, the largest first."""

    object: Literal["list"] = "list"
    data: list[FileObject]
    bytes: int  # of all of them
    days: int  # for so long nobody used them


class FileDeleted(Response):
    """OpenAI's answer to a deletion."""

    id: str
    object: Literal["file"] = "file"
    deleted: Literal[True] = True


class LinkRequest(Request):
    """The body of POST /v1/files/{id}/links; it may be left out."""

    requested_by: RequestedBy | None = None


class FileLink(Response):
    """A link to a result that needs no key, and does not hold for ever."""

    object: Literal["file.link"] = "file.link"
    url: str
    expires_at: int  # seconds since 1970
