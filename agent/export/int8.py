"""8 bits as bitsandbytes' LLM.int8 stores them (arXiv 2208.07339): what a weight has become in training. Children only.

A row of a matrix is taken to fp16 and scaled so that its largest value is 127. A test holds every bit against it.
"""

import torch

LEVELS = 127
ONE_LEVEL = 7.874015718698502e-3  # its reciprocal, as bitsandbytes has it


def through_int8(weight: torch.Tensor) -> torch.Tensor:
    """Return a matrix as it is after LLM.int8, in fp32."""
    rows = weight.half()
    largest = rows.abs().amax(1, keepdim=True).float()
    levels = torch.round(rows * (LEVELS / largest.clamp(min=1e-30)))  # a row of zeros stays one
    return levels * largest * ONE_LEVEL
