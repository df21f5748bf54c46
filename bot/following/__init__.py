"""The agent's events become edits of live cards, and each result is told once. Decides nothing about jobs."""
