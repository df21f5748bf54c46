"""Whom the bot trusts to be Telegram."""

import ssl
from functools import cache

import httpx


@cache
def trusted() -> ssl.SSLContext:
    """Return what httpx would make for each of its clients, 40 ms each: it reads all authorities' certificates."""
    return httpx.create_ssl_context()
