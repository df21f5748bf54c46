"""The words that follow a command, as a person types them: parted by spaces, but for what stands in quotes. Pure."""

import re

_QUOTED = r"""(?:"[^"]*"|[“„][^“”]*[”“])"""  # also in the quotes that phones make
_WORD = re.compile(rf"\w+[:=]{_QUOTED}(?=\s|$)|\S+")
_NO_QUOTES = str.maketrans({"“": "'", "”": "'", "„": "'"})


def split_words(text: str) -> tuple[str, ...]:
    """Return the words, each as it was typed: `system:"You are Ruth."` is one."""
    return tuple(_WORD.findall(text))


def unquoted(value: str) -> str:
    """Return the value of an option without the quotes around it."""
    return value[1:-1] if re.fullmatch(_QUOTED, value) else value


def quoted(name: str, value: str) -> str:
    """Return an option whose value has spaces, as it is typed. Quotes that would end it early become smaller ones."""
    line = " ".join(value.split())
    return f'{name}:"{line}"' if '"' not in line else f"{name}:“{line.translate(_NO_QUOTES)}”"
