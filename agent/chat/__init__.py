"""Finished models answer questions, one model at a time, in a child with llama.cpp.

A training that needs the memory goes first; the agent itself loads no model.
"""
