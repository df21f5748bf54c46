"""The agent's events become edits of live cards, and results are told once. Decides nothing about jobs."""
