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


def page(inside: str) -> bytes:
    """Return a chat as HTML, in whose last message stands what takes a parser of HTML long."""
    said = "".join(
        f"<div class=chatlog__message><span class=chatlog__author title={who}>{who}</span>"
        f"<div class=chatlog__content>Is it {n}?</div></div>"
        for n in range(40)
        for who in ("Ann", "Bob")
    )
    start = "<!DOCTYPE html><html><body><div class=chatlog>"
    return f"{start}{said}<div class=chatlog__message><div class=chatlog__content>{inside}".encode()


def entities() -> bytes:
    """Return posts in XML whose text would be a billion laughs, were its entities replaced."""
    deep = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return (
        f'<?xml version="1.0"?><!DOCTYPE posts [<!ENTITY l0 "lol">{deep}]>'
        '<posts><row Id="1" PostTypeId="1" Body="&l9;"/></posts>'
    ).encode()


def chain() -> bytes:
    """Return 20,000 messages of which each answers the one before, as rows."""
    return b"".join(
        json.dumps({"message_id": str(n), "parent_id": str(n - 1) if n else None, "text": f"Is it {n}?",
                    "role": "assistant" if n % 2 else "prompter"}).encode() + b"\n"
        for n in range(20_000)
    )  # fmt: skip
