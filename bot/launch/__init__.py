"""What starting the bot takes: all front-ends in one event loop, a log without secrets, a local agent for `make run`.

Answers no command.
"""
