"""Telegram as a front-end, on python-telegram-bot: updates become calls, replies become messages.

Decides no answer itself.
"""

import os

os.environ.setdefault("PTB_TIMEDELTA", "1")  # the library's way to get spans of time without a deprecation warning
