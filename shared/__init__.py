"""What the bot and the agent both speak: requests, responses, events, errors, languages. No ML library, no network."""
