"""A job's life: claimed, started, watched, adopted, paused, cancelled, tried again. Never trains by itself."""
