"""The machine itself: its GPU through NVML, memory, disk and what frees it. Knows no job's state and no torch."""
