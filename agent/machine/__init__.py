"""The machine itself: its GPU (through NVML, without torch), its memory, and freeing its disk.

Reads and changes no job's status.
"""
