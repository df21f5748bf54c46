"""Writes large tensors a few rows at a time: no embedding need be in memory whole. Children only.

llama.cpp's converter computes each tensor lazily, but whole: read, to fp32, quantized. Where it leaves a tensor as it
is (an embedding, an output head), the same three steps are taken here block by block.
"""

import contextlib
import ctypes
import gc
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from agent.base_models.llama_cpp import import_conversion, import_gguf

LARGE = 1 << 23  # values; smaller ones are written whole
BLOCK = 1 << 20  # values at a time


@dataclass(frozen=True, kw_only=True)
class RowStream:
    """Stands where gguf's writer expects a numpy array, and is written by rows."""

    read: Callable[[], Any]  # gives the torch tensor, of shape (rows, columns)
    qtype: Any  # gguf's name of the type on disk
    nbytes: int  # on disk

    def tofile(self, out: BinaryIO) -> None:
        """Quantize and write block after block."""
        gguf = import_gguf()
        tensor = import_conversion().base.LazyTorchTensor.to_eager(self.read())
        step = max(1, BLOCK // tensor.shape[1])
        for start in range(0, tensor.shape[0], step):
            block = tensor[start : start + step].float().numpy()
            gguf.quants.quantize(block, self.qtype).tofile(out)


@contextlib.contextmanager
def large_tensors_by_rows(converter: Any, untouched: set[str]) -> Iterator[None]:
    """While tensors are prepared, note which the converter leaves as they are; the large ones are written by rows then.

    `untouched`: names of the tensors that no merge changes.
    """
    modify, as_they_are = converter.modify_tensors, {}

    def noting(tensor: Any, name: str, layer: int | None) -> Iterator[tuple[str, Any]]:
        for new_name, modified in modify(tensor, name, layer):
            if modified is tensor and name in untouched:
                as_they_are[new_name] = name
            yield new_name, modified

    converter.modify_tensors = noting
    try:
        yield
    finally:
        del converter.modify_tensors
    for tensors in converter.gguf_writer.tensors:
        for new_name, info in tensors.items():
            values = 1
            for length in info.shape:
                values *= length
            if new_name in as_they_are and len(info.shape) == 2 and values >= LARGE:
                read = converter.model_tensors[as_they_are[new_name]]
                info.tensor = RowStream(read=read, qtype=info.dtype, nbytes=info.nbytes)


def give_back_memory() -> None:
    """Return what was freed to the system, where the C library can be asked to (glibc)."""
    gc.collect()
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # musl has no malloc_trim
            ctypes.CDLL(None).malloc_trim(0)
