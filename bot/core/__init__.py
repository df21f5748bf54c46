"""What a front-end and a command have in common: calls, replies, chats and what they can show. Asks nobody."""
