"""One catalogue a language, whole; and no text for people beside it."""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from shared.language import (
    CATALOGUES,
    ENGLISH,
    LANGUAGES,
    _,
    best,
    decimal,
    grouped,
    moment,
    ngettext,
    speaking,
    spoken,
)

ROOT = Path(__file__).parents[2]
ROOMS = ("agent", "bot", "shared")
WORDS = re.compile(r"[A-Za-z]{2,} +[A-Za-z]{2,}|^[A-Z]\w*: ")  # two words, or what begins a line: Q:
SPOKEN_BY = {"_", "N_", "ngettext"}
NOT_SHOWN = {  # calls whose texts are for programs, logs and those who program
    "compile", "fullmatch", "match", "search", "sub", "debug", "info", "warning", "error", "exception", "log",
    "_change", "rows", "words", "write", "execute", "add_argument", "basicConfig", "Route", "ValueError", "ChatError",
    "SentenceError", "Meaning",
}  # fmt: skip
IN_ENGLISH = {  # what the owner reads where it runs, in a log or a console; what programs read
    "agent/serve.py", "agent/command_line/arguments.py", "agent/doctor.py", "agent/settings.py",
    "agent/children/confine.py", "agent/children/network_guard.py", "agent/pipeline/__main__.py",
    "agent/pipeline/by_hand.py", "agent/pipeline/trainer.py", "agent/pipeline/checkpoint_writer.py",
    "agent/api/explain.py", "agent/api/middleware.py", "agent/api/openapi.py", "agent/api/people.py",
    "agent/api/route.py", "agent/api/sse.py", "agent/export/finished_template.py", "agent/export/modelfile.py",
    "agent/store/store.py", "bot/serve.py",
    "bot/launch/local_agent.py", "bot/demo.py", "bot/launch/first_start.py", "bot/settings.py", "bot/start.py",
    "bot/kept/database.py", "bot/errors.py", "bot/discord_ui/connection.py", "bot/discord_ui/trouble.py",
    "bot/telegram_ui/chat.py", "bot/telegram_ui/trouble.py",
}  # fmt: skip
TYPED = re.compile(r"^(/[a-z]+|ollama|hearth-agent|name:toast) ")  # commands are the same in every language
NO_TEXT = {
    "EEE HH:mm",
    "<blockquote expandable>",
    "dd MMM HH:mm",
    "upper right",
    "outside lower center",
    "NVIDIA GPU",
    "file is too big",
    "a child that reads has no network",
    "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'",
}


def catalogue(language: str) -> Catalog:
    with (CATALOGUES / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


def texts_in_the_code() -> set[str | tuple[str, str]]:
    found: set[str | tuple[str, str]] = set()
    for room in ROOMS:
        for _name, _line, text, _comments, _context in extract_from_dir(ROOT / room):
            found.add((text[0], text[1]) if isinstance(text, tuple) else text)
    return found


def key(message: Message) -> str | tuple[str, str]:
    return message.id if isinstance(message.id, str) else (message.id[0], message.id[1])


def fields(texts: str | tuple[str, ...] | list[str]) -> set[str]:
    return set(re.findall(r"(?<!\{)\{\w+[^{}]*\}", " ".join([texts] if isinstance(texts, str) else texts)))


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_catalogue_has_every_text_of_the_code_and_nothing_else(language: str) -> None:
    known = {key(message): message for message in catalogue(language) if message.id}
    in_code = texts_in_the_code()
    assert not sorted(map(str, in_code - set(known))), "missing; `make texts` brings them into the catalogue"
    assert not sorted(map(str, set(known) - in_code)), "not in the code any more; `make texts` takes them away"
    untranslated = [text for text, message in known.items() if not all(filled(message)) or message.fuzzy]
    assert not untranslated


def filled(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string or [""])


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_translation_keeps_the_fields_commands_and_edges_of_its_text(language: str) -> None:
    for message in catalogue(language):
        if message.id:
            english = [message.id] if isinstance(message.id, str) else list(message.id)
            for text in filled(message):
                assert fields(text) == fields(english), text
                assert commands(text) == commands(" ".join(english)), text
                assert edges(text) == edges(english[0]), text


def commands(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w.>}])/[a-z]+", text))


def edges(text: str) -> tuple[bool, bool]:
    return text[0].isspace() or text[0] == ",", text[-1].isspace()


def test_no_text_for_people_stands_outside_the_catalogue() -> None:
    astray = []
    for path in sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if name not in IN_ENGLISH and "migrations" not in name:
            found = [(line, text) for line, text in bare_texts(ast.parse(path.read_text()))]
            astray += [
                f"{name}:{line}: {text}" for line, text in found if not TYPED.match(text) and text not in NO_TEXT
            ]
    assert not astray


def bare_texts(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the texts of two words or more that are neither marked for the catalogue nor for programs and logs."""
    if isinstance(node, ast.Call) and called(node.func) in SPOKEN_BY | NOT_SHOWN:
        return
    if isinstance(node, ast.JoinedStr):
        text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        if WORDS.search(text):
            yield node.lineno, text
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                yield from bare_texts(part.value)
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, str) and WORDS.search(node.value):
            yield node.lineno, node.value
    else:
        for child in ast.iter_child_nodes(node):
            if not (isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)):  # a docstring
                yield from bare_texts(child)


def called(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("de", "de"),
        ("de-AT", "de"),
        ("de_DE.UTF-8", "de"),
        ("de-AT,en;q=0.5", "de"),
        ("en;q=1", "en"),
        ("DE", "de"),
        ("pt-BR", "en"),
        ("C.UTF-8", "en"),
        (None, "en"),
    ],
)
def test_best_language_for_a_locale_else_english(locale: str | None, language: str) -> None:
    assert best(locale) == language


def test_language_is_spoken_in_the_block_alone() -> None:
    with speaking("de"):
        assert _("Stop") == "Beenden"
        with speaking("fr"):
            assert _("Stop") == "Stop"
        assert spoken() == "de"
    assert spoken() == ENGLISH


def test_figures_plurals_and_days_are_written_as_the_language_writes_them() -> None:
    monday = datetime(2026, 11, 23, 14, 2, tzinfo=UTC)
    assert (decimal(2.5, 2), grouped(5812), moment(monday, "EEE HH:mm")) == ("2.50", "5,812", "Mon 14:02")
    assert [ngettext("{n} row", "{n} rows", n) for n in (1, 5812)] == ["1 row", "5,812 rows"]
    with speaking("de"):
        assert (decimal(2.5, 2), grouped(5812), moment(monday, "EEE HH:mm")) == ("2,50", "5.812", "Mo. 14:02")
        assert [ngettext("{n} row", "{n} rows", n) for n in (1, 5812)] == ["1 Zeile", "5.812 Zeilen"]


def test_what_is_no_number_is_a_dash() -> None:
    assert decimal(float("nan"), 2) == decimal(float("inf"), 0) == "–"
