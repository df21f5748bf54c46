"""What the bot and the agent both speak: requests, responses, events, errors, languages; and how both start quickly.

No ML library, no network.
"""
