"""Exports of other programs, one module a family; `table` lists them.

An export is known by its content, never by its name. It becomes a chat among people, of whom one has to be named the
assistant, or rows of messages.
"""
