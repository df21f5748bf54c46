"""The agent, on the GPU machine: people, files, jobs, the queue, and the child processes that do the work.

What serves requests imports no torch, and nothing here imports `bot`.
"""
