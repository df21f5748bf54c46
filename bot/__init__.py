"""The bot: holds the chats and shows what the agent does. It imports no ML library and decides nothing about rights."""
