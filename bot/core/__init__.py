"""What a front-end and a command have in common: calls, replies, chats and what those can show.

Imports no platform and asks nobody.
"""
