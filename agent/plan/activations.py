"""What a layer leaves for its backward pass, in bytes a token. Pure.

Each term is a tensor that autograd saves: read off the graph of transformers' Llama with peft's LoRA, and checked by
measuring. `torch.profiler` on SmolLM2's shape, fp32: 73,600 bytes a token and layer; counted here: 72,700.
"""

import math

from agent.base_models.shape import FOUR_NORMS, QK_NORMS, Linear, ModelShape
from agent.plan.setup import TrainingSetup


def kept_bytes(shape: ModelShape, setup: TrainingSetup) -> int:
    """Return what is kept of one layer until its turn in the backward pass: with checkpointing its input alone."""
    if setup.activation_checkpointing:
        return setup.residual_bytes * shape.hidden_size
    saved = layer_bytes(shape, setup)
    if setup.attention == "eager":
        saved += (4 + (setup.residual_bytes if setup.residual_bytes < 4 else 0)) * shape.heads * setup.length
    return saved


def layer_bytes(shape: ModelShape, setup: TrainingSetup) -> int:
    """Return all that one layer saves for its backward pass, attention scores apart."""
    return _norms(shape) + _attention(shape, setup) + _mlp(shape, setup) + _lora(shape, setup)


def passing_bytes(shape: ModelShape, setup: TrainingSetup) -> int:
    """Return the gradients that are there at once in a layer's backward pass: of the residual and in the MLP."""
    return setup.residual_bytes * (shape.hidden_size + shape.active_size)


def score_bytes(shape: ModelShape, setup: TrainingSetup) -> int:
    """Return what eager attention takes in the layer whose turn it is: rows × heads × length² scores.

    At once: the fp32 softmax, its value as it was multiplied, and two gradients in fp32. Measured on a T4: 14.1 bytes a
    score in fp16, 16.0 in fp32.
    """
    if setup.attention != "eager":
        return 0
    return math.ceil((12 + setup.residual_bytes) * setup.rows * setup.rows_in_memory * shape.heads * setup.length**2)


def adapted(shape: ModelShape, setup: TrainingSetup) -> list[Linear]:
    """Return the matrices of a layer that have an adapter."""
    return [
        linear
        for linear in shape.linears
        if setup.target_modules == "all-linear" or linear.name in setup.target_modules
    ]


def dora_kept_bytes(shape: ModelShape, setup: TrainingSetup) -> int:
    """Return what DoRA keeps whatever the tokens: under dropout it multiplies by matrices that it unpacked itself."""
    if not (setup.use_dora and setup.dropout and setup.load_in_4bit):
        return 0
    of_a_layer = setup.compute_bytes * sum(linear.weights for linear in adapted(shape, setup))
    return of_a_layer * (1 if setup.activation_checkpointing else shape.layers)


def dora_passing_bytes(shape: ModelShape, setup: TrainingSetup) -> int:
    """Return what comes and goes while DoRA measures a matrix and its adapter, of the largest matrix.

    peft multiplies A and B by a unit matrix to have their product, and adds that, scaled, to the weights: of the size
    of the matrix are the product, the scaled product and the sum, beside the weights.
    """
    if not setup.use_dora:
        return 0
    sizes = (4 * it.inputs**2 + 3 * setup.compute_bytes * it.weights for it in adapted(shape, setup))
    return max(sizes, default=0)


def _norms(shape: ModelShape) -> int:
    # An RMSNorm computes in fp32 and saves its input so.
    norms = 4 if shape.model_type in FOUR_NORMS else 2
    heads = shape.attention_size + shape.kv_size if shape.model_type in QK_NORMS else 0
    return 4 * (norms * shape.hidden_size + heads)


def _attention(shape: ModelShape, setup: TrainingSetup) -> int:
    # Query, output, key and value, and a logarithm. Under a padding mask keys and values are repeated for every head;
    # of a single one that is a view.
    keys = shape.kv_size if shape.kv_heads == 1 else shape.attention_size
    return setup.residual_bytes * 2 * (shape.attention_size + keys) + 4 * shape.heads


def _mlp(shape: ModelShape, setup: TrainingSetup) -> int:
    # The activation saves its input; gate × up saves both factors.
    return setup.residual_bytes * (3 if shape.gated else 1) * shape.active_size


def _lora(shape: ModelShape, setup: TrainingSetup) -> int:
    # A frozen matrix saves nothing. Its adapter saves what it multiplies: a copy of the input that dropout, or a cast
    # from fp32, made for this matrix alone; else one that all matrices of the same input share. And r values.
    targets = adapted(shape, setup)
    rank = setup.residual_bytes * setup.r * len(targets)
    if setup.use_dora:  # the outputs of base and adapter, by which the gradient of their lengths is found
        rank += 2 * setup.residual_bytes * sum(linear.outputs for linear in targets)
    if setup.dropout:
        mask = 4 if setup.device == "cpu" else 1  # ours is a factor for each value, CUDA's a byte
        return sum((setup.residual_bytes + mask) * linear.inputs for linear in targets) + rank
    if setup.residual_bytes == 4:
        return 4 * sum({linear.reads: linear.inputs for linear in targets}.values()) + rank
    return setup.residual_bytes * sum(linear.inputs for linear in targets) + rank
