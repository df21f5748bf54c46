"""Every card as people see it: told by the real bot, drawn at the width of a phone and of a desktop.

`make screens`. Needs Chromium, and is no part of the tests.
"""
