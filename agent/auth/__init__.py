"""Keys: what a program that speaks to the agent may do with the one it was given. Decides nothing about people."""
