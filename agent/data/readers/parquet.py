"""Rows of a Parquet table, a few at a time. pyarrow is loaded only where there is one."""

import io
from collections.abc import Iterator
from typing import Any

from agent.data.readers.containers import Upload, refuse_unpacked, unpacked_limit
from agent.data.readers.raw_row import RawRow
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.language import _

BATCH = 32  # so few, because one long text may stand in every row and take no place in the file
PACKED_BYTES = 256 << 20  # of a table inside an archive, which has to be held whole


def read_parquet(upload: Upload) -> Iterator[RawRow]:
    """Yield the rows. Raises AgentError, MemoryError."""
    import pyarrow as pa
    from pyarrow import parquet

    pa.set_memory_pool(pa.system_memory_pool())  # others reserve more address space than this process may have
    source: Any = upload.path if upload.path is not None else io.BytesIO(_whole(upload))
    size = upload.path.stat().st_size if upload.path is not None else len(source.getbuffer())
    number, left = 0, unpacked_limit(size)
    try:
        table = parquet.ParquetFile(source, pre_buffer=False)
        rows = max(1, table.metadata.num_rows)
        for batch in table.iter_batches(batch_size=BATCH, use_threads=False):
            if upload.path is not None:
                upload.meter.at = min(size, size * number // rows)
            for row in batch.to_pylist():
                number += 1
                left -= _chars(row)
                if left < 0:
                    refuse_unpacked(unpacked_limit(size))
                yield RawRow(line=number, unit="Row", value={str(key): value for key, value in row.items()})
    except MemoryError:  # an ArrowException as well
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        raise AgentError(
            _("The Parquet file cannot be read ({reason}). Write it again, or send the rows as JSONL.",
              reason=(str(error).splitlines() or [""])[0][:120]),
            code=ErrorCode.dataset_broken,
        ) from error  # fmt: skip


def _chars(value: Any) -> int:
    """Return how much text a value is; Arrow's own count takes a text that stands in many rows for one."""
    if isinstance(value, (str, bytes)):
        return len(value)
    if isinstance(value, dict):
        return sum(map(_chars, value.values()))
    return sum(map(_chars, value)) if isinstance(value, list) else 1


def _whole(upload: Upload) -> bytes:
    content = upload.read(PACKED_BYTES)
    if content is None:
        raise AgentError(
            _("A Parquet file in an archive may have {limit} MiB. Send it as it is.", limit=PACKED_BYTES >> 20),
            code=ErrorCode.file_too_large,
        )
    return content
