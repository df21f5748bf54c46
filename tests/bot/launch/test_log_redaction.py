import logging
import sys

from bot.launch.log_redaction import HIDDEN, RedactingFormatter


def test_a_token_is_hidden_in_messages_arguments_and_tracebacks() -> None:
    token = "4242:AAG-secret"
    try:
        raise ValueError(f"https://api/bot{token}/getMe")
    except ValueError:
        failure = sys.exc_info()
    record = logging.LogRecord("httpx", logging.INFO, "", 1, "POST /bot%s/getMe", (token,), failure)
    line = RedactingFormatter("%(message)s", [token, ""]).format(record)
    assert token not in line
    assert line.count(HIDDEN) == 2  # in the message and in the error
