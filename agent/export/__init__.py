"""A trained adapter becomes a model that Ollama runs: merge, convert to GGUF, write the Modelfile, verify, hand over.

Never loads the whole model into memory to merge it.
"""
