"""NF4 as bitsandbytes stores it: what a weight has become in training. Children only.

Quantile codes of QLoRA (arXiv 2305.14314, appendix E) on blocks of 64, whose scales are in turn stored in 8 bits on
blocks of 256 (its double quantization, arXiv 1511.04561's dynamic type). bitsandbytes itself would do, at the price of
115 MiB and 1.5 s for its import; a test holds every bit against it.
"""

from functools import cache

import torch

BLOCK = 64
SCALE_BLOCK = 256
AT_ONCE = 1 << 14  # blocks in work at a time: a few MiB, whatever the weight's size
CODES = (
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
    -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
    0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0,
)  # fmt: skip


def through_nf4(weight: torch.Tensor) -> torch.Tensor:
    """Return a weight of any shape as it is after NF4, in fp32."""
    flat = weight.reshape(-1).float()
    out = torch.zeros(-(-flat.numel() // BLOCK), BLOCK)
    out.view(-1)[: flat.numel()] = flat
    largest = out.abs().amax(1) if len(out) <= AT_ONCE else torch.cat([part.abs().amax(1) for part in _parts(out)])
    scales = through_8_bits(largest)
    codes = torch.tensor(CODES)
    for part, top, scale in zip(_parts(out), _parts(largest), _parts(scales), strict=True):
        torch.mul(_values(codes, _nearest(_scaled(part, top), codes)), scale[:, None], out=part)
    return out.view(-1)[: flat.numel()].view(weight.shape)


def through_8_bits(scales: torch.Tensor) -> torch.Tensor:
    """Return the scales of blocks, of shape (blocks,), as they are after the second quantization."""
    offset = scales.mean()
    out = torch.zeros(-(-len(scales) // SCALE_BLOCK), SCALE_BLOCK)
    out.view(-1)[: len(scales)] = scales - offset
    largest, codes = out.abs().amax(1), _dynamic_codes()
    levels = 65535  # bitsandbytes looks codes up in a table of so many
    at = torch.round((_scaled(out, largest) + 1) / 2 * levels) / levels * 2 - 1
    return (_values(codes, _nearest(at, codes)) * largest[:, None]).view(-1)[: len(scales)] + offset


def _scaled(blocks: torch.Tensor, largest: torch.Tensor) -> torch.Tensor:
    return (blocks * (1.0 / largest.clamp(min=1e-38))[:, None]).clamp(-1, 1)


def _nearest(values: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
    middles = (codes[:-1] + codes[1:]) / 2
    if len(codes) > 16:
        return torch.bucketize(values, middles, out_int32=True)
    found, above = torch.zeros(values.shape, dtype=torch.int8), torch.empty(values.shape, dtype=torch.bool)
    for middle in middles.tolist():  # so few are compared faster one by one
        found += torch.gt(values, middle, out=above).view(torch.int8)
    return found.int()


def _values(codes: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
    return codes.index_select(0, at.view(-1)).view(at.shape)  # a third of the time of codes[at]


def _parts(tensor: torch.Tensor) -> list[torch.Tensor]:
    return [tensor[start : start + AT_ONCE] for start in range(0, len(tensor), AT_ONCE)]


@cache
def _dynamic_codes() -> torch.Tensor:
    """Make the 256 codes of the signed dynamic type: seven decades, each split finer than the one below it."""
    found = [0.0, 1.0]
    for decade in range(7):
        edges = torch.linspace(0.1, 1, 2**decade + 1, dtype=torch.float32)
        middles = (10 ** (decade - 6) * ((edges[:-1] + edges[1:]) / 2.0)).tolist()
        found += middles + [-middle for middle in middles]
    return torch.tensor(sorted(found), dtype=torch.float32)
