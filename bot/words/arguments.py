"""The words that follow a command, as a person types them: parted by spaces, but for what stands in quotes. Pure."""

import re

_QUOTED = r"""(?:"(?:[^"\\]|\\.)*"|[“„][^“”]*[”“])"""  # also in the quotes that phones make
QUOTED_OPTION = re.compile(rf"(?<!\S)\w+[:=]\s*{_QUOTED}(?=[\s,;]|$)")
_WORD = re.compile(rf"{QUOTED_OPTION.pattern}|\S+")
_ESCAPES = {"\\n": "\n", '\\"': '"', "\\\\": "\\"}


def split_words(text: str) -> tuple[str, ...]:
    """Return the words, each as it was typed: `system:"You are Ruth."` is one."""
    return tuple(_WORD.findall(text))


def unquoted(value: str) -> str:
    """Return the value of an option without the quotes around it."""
    return value[1:-1] if re.fullmatch(_QUOTED, value, re.DOTALL) else value


def unescaped(value: str) -> str:
    """Return a text whose quotes, line breaks and backslashes were written by `quoted`."""
    return re.sub(r"\\[n\"\\]", lambda found: _ESCAPES[found[0]], value)


def quoted(name: str, value: str) -> str:
    """Return an option whose value has spaces, in one line, as it is typed."""
    line = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{name}:"{line}"'
