"""What the bot must not forget: what was asked and is not answered yet, and chats that moved. Sends nothing itself."""
