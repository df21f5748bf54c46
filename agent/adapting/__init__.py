"""How a job keeps itself alive: what it gives up when its memory is not enough, where it goes back to if it diverged.

`ladder` decides and is pure; `revision` writes the next revision of the job's spec and clears what it no longer fits.
"""
