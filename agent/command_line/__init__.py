"""The commands of `hearth-agent` for whoever sits at the GPU machine: results, keys, the pairing code, leaving OpenAI.

Each works beside a running agent; none of them trains.
"""
