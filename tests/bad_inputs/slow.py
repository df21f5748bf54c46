"""Rows of a megabyte made to be slow: what takes time by the square of a row holds everybody up for hours."""

import json
from collections.abc import Callable

MEGABYTE = 950_000  # characters: a little less than a row may have
ANSWERS: dict[str, Callable[[], str]] = {
    "spaces-before-the-last-word": lambda: "a" + " " * MEGABYTE + "b",
    "lines-before-the-last-word": lambda: "a" + "\n" * MEGABYTE + "b",
    "beginnings-of-tokens": lambda: "-eyJ" * (MEGABYTE // 4),
    "tokens-among-keys": lambda: "eyJ-AKIA0123456789ABCDEF-" * (MEGABYTE // 25),
    "beginnings-of-addresses": lambda: "a." * (MEGABYTE // 2) + "@",
    "address-of-many-domains": lambda: "a" * 64 + "@" + "a1." * (MEGABYTE // 3) + "!",
    "beginnings-of-private-keys": lambda: "-----BEGIN " * (MEGABYTE // 11),
    "beginnings-of-placeholders": lambda: "{{ [your" * (MEGABYTE // 8),
    "beginnings-of-tags": lambda: "<p " * (MEGABYTE // 3),
    "beginnings-of-special-tokens": lambda: "<|" * (MEGABYTE // 2),
    "one-word": lambda: "a" * MEGABYTE,
}


def talk(turns: int) -> str:
    """Return a row of so many turns."""
    return json.dumps({"messages": [{"role": ("user", "assistant")[n % 2], "content": "a"} for n in range(turns)]})


def printed_turns() -> str:
    """Return a row whose turns are a text, as numpy would print it were it whole."""
    return json.dumps({"messages": "[{'role': 'user'}" + "\n" * MEGABYTE + "x]"})


def many_keys(*, twice: bool) -> str:
    """Return a row of 90,000 keys, the last of which may come again."""
    keys = [*range(90_000), *([89_999] if twice else [])]
    return "{" + ",".join(f'"k{key}":1' for key in keys) + "}"


def unknown_columns() -> bytes:
    """Return rows of 5,000 columns, any two of which may be what is asked and answered."""
    row = {f"c{n}": f"a b {n}" for n in range(5_000)}
    return b"".join(json.dumps({**row, "c0": f"a b {line}"}).encode() + b"\n" for line in range(12))


def table_of_questions() -> bytes:
    """Return a first line of 16,000 questions, and as many lines below it."""
    return b"?," * 16_000 + b"\n" + b"a\n" * 16_000


def namesakes() -> bytes:
    """Return a chat of 20,000 people who are all called Ann."""
    said = [{"author": {"id": str(n), "name": "Ann"}, "content": "Hi"} for n in range(20_000)]
    return json.dumps({"channel": {}, "messages": said}).encode()


def whatsapp() -> bytes:
    """Return a chat with one long message, which may end with a mark that it was edited."""
    few = "".join(f"1/1/20, 10:{n} - Ann: Is it {n}?\n1/1/20, 10:{n} - Bob: It is {n}.\n" for n in range(10, 40))
    return f"{few}1/1/20, 11:00 - Ann: a{' ' * MEGABYTE}b\n".encode()
