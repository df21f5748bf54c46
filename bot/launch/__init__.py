"""What starting the bot takes: a log without secrets, a word to the first owner, a local agent for `make run`.

Answers no command.
"""
