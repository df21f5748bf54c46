"""Inspects the files that people send, and makes plans from them, before anything runs. Starts no job."""
