"""The bot's own SQLite file: requests not answered yet, approvals, chats that got another id. Sends nothing itself."""
