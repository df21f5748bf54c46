"""What each message shows, as title, lines, pictures and buttons, the same in every chat.

Pure: asks nobody, keeps nothing.
"""
