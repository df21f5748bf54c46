"""Our NF4 is bitsandbytes' NF4, bit for bit."""

import pytest
import torch

from agent.export.nf4 import AT_ONCE, BLOCK, through_nf4

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("shape", [(64, 64), (576, 1536), (AT_ONCE // 8 + 3, 12 * BLOCK)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_every_bit_is_as_bitsandbytes_has_it(shape: tuple[int, int], dtype: torch.dtype) -> None:
    from bitsandbytes.functional import dequantize_4bit, quantize_4bit

    weight = (torch.randn(shape, generator=torch.Generator().manual_seed(1)) * 0.1).to(dtype)
    weight[0, :70] = 0  # a block of zeros
    packed, state = quantize_4bit(weight.float(), compress_statistics=True, quant_type="nf4")
    assert torch.equal(through_nf4(weight), dequantize_4bit(packed, state))


def test_weight_that_fills_no_whole_block_keeps_its_shape() -> None:
    weight = torch.randn(5, 7)
    assert through_nf4(weight).shape == (5, 7)
