"""The trainer: one process a job, from base model to a verified GGUF.

Talks to the agent only through the job folder.
"""
