"""From adapter to a model that Ollama runs: merge, convert, describe, verify."""
