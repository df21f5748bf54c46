"""Base models: what a person may name, and bringing one onto this disk."""
