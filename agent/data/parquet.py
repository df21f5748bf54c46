"""Rows of a Parquet table, a few at a time. pyarrow is loaded only where there is one."""

import io
from collections.abc import Iterator
from typing import Any

from agent.data.containers import Upload
from agent.data.raw_row import RawRow
from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.language import _

BATCH = 1000
PACKED_BYTES = 256 << 20  # of a table inside an archive, which has to be held whole


def read_parquet(upload: Upload) -> Iterator[RawRow]:
    """Yield the rows. Raises AgentError."""
    import pyarrow as pa
    from pyarrow import parquet

    pa.set_memory_pool(pa.system_memory_pool())  # others reserve more address space than this process may have
    source: Any = upload.path if upload.path is not None else io.BytesIO(_whole(upload))
    number = 0
    try:
        table = parquet.ParquetFile(source, pre_buffer=False)
        rows = max(1, table.metadata.num_rows)
        for batch in table.iter_batches(batch_size=BATCH, use_threads=False):
            if upload.path is not None:
                upload.meter.at = upload.path.stat().st_size * number // rows
            for row in batch.to_pylist():
                number += 1
                yield RawRow(line=number, unit="Row", value={str(key): value for key, value in row.items()})
    except (pa.ArrowException, OSError, ValueError) as error:
        raise AgentError(
            _("The Parquet file cannot be read ({reason}). Write it again, or send the rows as JSONL.",
              reason=str(error).splitlines()[0][:120]),
            code=ErrorCode.dataset_broken,
        ) from error  # fmt: skip


def _whole(upload: Upload) -> bytes:
    content = upload.read(PACKED_BYTES)
    if content is None:
        raise AgentError(
            _("A Parquet file in an archive may have {limit} MiB. Send it as it is.", limit=PACKED_BYTES >> 20),
            code=ErrorCode.file_too_large,
        )
    return content
