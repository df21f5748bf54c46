"""Finished models, asked a question: in a child with llama.cpp, one at a time, and never in the way of a training."""
