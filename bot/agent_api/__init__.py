"""The only room that speaks HTTP to the agent. Shows nothing to anyone."""
