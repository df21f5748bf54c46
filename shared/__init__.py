"""What the bot and the agent both speak: requests, responses, events, errors. No I/O, no ML library."""
