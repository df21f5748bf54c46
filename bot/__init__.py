"""The bot: it holds the chats and shows what the agent does. No ML library, no rights of its own."""
