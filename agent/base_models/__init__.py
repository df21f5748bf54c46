"""Base models: which ones a person may name, and how one gets onto this disk. Runs no code that comes with a model."""
