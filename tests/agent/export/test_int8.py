"""Our 8 bits are bitsandbytes' own, bit for bit."""

import pytest
import torch

from agent.export.int8 import through_int8

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_every_bit_is_as_bitsandbytes_has_it(dtype: torch.dtype) -> None:
    from bitsandbytes.functional import int8_vectorwise_dequant, int8_vectorwise_quant

    weight = (torch.randn(96, 160, generator=torch.Generator().manual_seed(1)) * 0.1).to(dtype)
    weight[0] = 0
    levels, scales, _ = int8_vectorwise_quant(weight.half())
    assert torch.equal(through_int8(weight), int8_vectorwise_dequant(levels, scales).float())
