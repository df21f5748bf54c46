"""The answers that are not wanted: of a pair the one turned down, of labelled answers those found bad. Pure."""

from dataclasses import replace
from typing import Any

from agent.data.chat_rows import canonical, to_messages
from agent.data.turns import Message, RowProblem
from shared.inspections import DatasetForm
from shared.language import _


def turned_down(row: dict[str, Any], wanted: list[Message]) -> tuple[list[Message], list[Message]]:
    """Return both talks of a pair, of which only what differs is learned: the wanted one, and the one turned down.

    `wanted` is the row as `to_messages` reads it. Raises RowProblem where there is nothing to tell them apart by.
    """
    named = canonical(row)
    other = to_messages(named | {"chosen": named.get("rejected")}, DatasetForm.preference)
    same = 0
    while same < min(len(wanted), len(other)) and _said(wanted[same]) == _said(other[same]):
        same += 1
    if same == len(wanted) or same == len(other):
        raise RowProblem(_("has the same answer as the better and the worse one"))
    return _learned_from(wanted, same), _learned_from(other, same)


def is_bad(row: dict[str, Any], form: DatasetForm) -> bool:
    """Say whether a row is labelled as a bad answer."""
    return form is DatasetForm.labelled and canonical(row).get("label") is False


def bad_answer(row: dict[str, Any]) -> list[Message]:
    """Return the talk of a row that is labelled as bad. Raises RowProblem."""
    return to_messages(canonical(row) | {"label": True}, DatasetForm.labelled)


def _said(message: Message) -> tuple[str, str]:
    return message.role, message.said.strip()


def _learned_from(messages: list[Message], first: int) -> list[Message]:
    """Return a talk of which no answer before the turn `first` is learned."""
    return [
        replace(message, learned=message.learned and at >= first) if message.role == "assistant" else message
        for at, message in enumerate(messages)
    ]
