"""From curves to plain advice: what was seen, and what to change."""
