"""The chat template of a finished model: its base model's, asked as in training wherever nobody says otherwise. Pure.

It stands in the GGUF, so that llama.cpp, `/try` and every other program that reads it ask alike.
"""

import re

from agent.data.jinja import strftime_now
from agent.data.template_habits import Habits

_PATTERN = re.compile(r"""strftime_now\(\s*["']([^"']+)["']\s*\)""")
SWITCHES = ("enable_thinking", "thinking")  # by which templates hear whether the model is to think


def finished_template(source: str, *, system: str | None, thinks: bool | None, habits: Habits) -> str:
    """Return a template that adds the model's own system text to a chat without one, and thinks as in training.

    Where the family has no system turn, one stands in front of the first question, as it did in training.
    """
    if thinks is None:
        return source  # an older version trained on it as it is
    begin = _day(source)
    for switch in SWITCHES:
        if switch in source:
            begin += f"{{%- set {switch} = {str(thinks).lower()} -%}}\n"
    if system is not None and habits.takes_system:
        begin += (
            "{%- if not messages or messages[0]['role'] != 'system' -%}\n"
            f"{{%- set messages = [{{'role': 'system', 'content': {_content(system, habits)}}}] + messages -%}}\n"
            "{%- endif -%}\n"
        )
    elif not habits.takes_system:
        begin += (
            f"{{%- set system_text = {_literal(system or '')} -%}}\n"
            "{%- if messages and messages[0]['role'] == 'system' -%}\n"
            "{%- set system_text = messages[0]['content'] -%}\n"
            "{%- set messages = messages[1:] -%}\n"
            "{%- endif -%}\n"
            "{%- if system_text and messages and messages[0]['role'] == 'user' -%}\n"
            "{%- set messages = [{'role': 'user', 'content': system_text + '\\n\\n' + messages[0]['content']}]"
            " + messages[1:] -%}\n"
            "{%- endif -%}\n"
        )
    return begin + source


def _day(source: str) -> str:
    """Return what tells a template the day that it was told in training."""
    begin = ""
    if "date_string" in source:
        begin += f"{{%- set date_string = '{strftime_now('%d %b %Y')}' -%}}\n"
    if patterns := sorted(set(_PATTERN.findall(source))):
        days = ", ".join(f"{_literal(pattern)}: {_literal(strftime_now(pattern))}" for pattern in patterns)
        begin += f"{{%- macro strftime_now(pattern) -%}}{{{{ {{{days}}}[pattern] }}}}{{%- endmacro -%}}\n"
    return begin


def _content(text: str, habits: Habits) -> str:
    return f"[{{'type': 'text', 'text': {_literal(text)}}}]" if habits.in_pieces else _literal(text)


def _literal(text: str) -> str:
    """Return a text as a template writes it; llama.cpp reads no other escapes than these."""
    escapes = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return '"' + "".join(escapes.get(char, char) for char in text) + '"'
