"""What a run would do, why, and what it would cost: settings, memory, time, disk.

Pure: reads no file, starts nothing.
"""
