"""`hearth-agent key add|list|revoke` and `hearth-agent pairing-code`: at the GPU machine alone, beside the agent."""

import argparse
import json
import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError
from sqlalchemy.exc import DatabaseError

from agent.auth.keys import BOT, CHATS, OWNER, Key, KeyKind, new_secret
from agent.errors import AgentError
from agent.job_folder.durable import replace_file
from agent.settings import AgentSettings
from agent.store import keys
from agent.store.keys import StoredKey
from agent.store.read_only import changing, reading
from agent.store.store import DATABASE
from shared.errors import ErrorCode
from shared.language import _, locale_here, speaking
from shared.paths import ADDRESS_FILE

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
PERSON = re.compile(r"([a-z]+):([\w.@+-]{1,60})", re.ASCII)
ANSWER_S = 10.0


def main(arguments: Sequence[str]) -> int:
    """Make, list or revoke keys; return the exit code."""
    with speaking(locale_here()):
        given = _parser().parse_args(arguments)
    return _told(lambda settings: given.run(settings, given))


def pairing_code(arguments: Sequence[str]) -> int:
    """Print the code that makes whoever says it to the bot the owner; return the exit code."""
    with speaking(locale_here()):
        words = _("Print the code that makes you the owner in a chat.")
        argparse.ArgumentParser(prog="hearth-agent pairing-code", description=words).parse_args(arguments)
    return _told(_pairing_code)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hearth-agent key", description=_("Keys to the agent: the owner's may do all, others have a scope.")
    )
    commands = parser.add_subparsers(required=True, metavar="add|list|revoke")
    add = commands.add_parser("add", help=_("make a key and print it, once"))
    add.add_argument("name", help=_("small letters, digits and hyphens, as in living-room"))
    scope = add.add_mutually_exclusive_group()
    scope.add_argument("--bot", action="store_true", help=_("for a bot, on Discord and Telegram (the usual)"))
    scope.add_argument("--person", metavar="PLATFORM:ID", help=_("for a program of one person, as in telegram:12345"))
    scope.add_argument("--owner", action="store_true", help=_("for a program of yours that may do all"))
    add.add_argument("--platform", action="append", choices=CHATS, help=_("of a bot: on this platform alone"))
    add.set_defaults(run=_add)
    commands.add_parser("list", help=_("show all keys, and when they were last used")).set_defaults(run=_list)
    revoke = commands.add_parser("revoke", help=_("let a key hold no more"))
    revoke.add_argument("name")
    revoke.set_defaults(run=_revoke)
    return parser


def _told(run: Callable[[AgentSettings], str]) -> int:
    """Run a command and print what it says, or why it does not work."""
    with speaking(locale_here()):
        try:
            print(run(AgentSettings()))
        except ValidationError as error:
            print(str(error), file=sys.stderr)
            return 2
        except (AgentError, OSError) as error:
            print(str(error), file=sys.stderr)
            return 1
        except DatabaseError as error:
            print(_("The agent's database cannot be used: {reason}.", reason=error.orig), file=sys.stderr)
            return 1
    return 0


def _add(settings: AgentSettings, given: argparse.Namespace) -> str:
    key, secret = _scoped(given), new_secret()
    with changing(_database(settings)) as session:
        keys.add(session, key, secret, now=time.time())
    if key.name == BOT.name:
        replace_file(settings.bot_key_file, f"{secret}\n".encode())
    how = {
        KeyKind.bot: _("Set it as HEARTH_AGENT_KEY of that bot."),
        KeyKind.program: _("A program sends it as “Authorization: Bearer …”; OpenAI's SDK calls it api_key."),
        KeyKind.owner: _("Whoever has it may do all, as you may."),
    }
    return _(
        "The key “{name}”, {scope}. It is shown this once:\n\n{secret}\n\n{how}",
        name=key.name,
        scope=_scope(key),
        secret=secret,
        how=how[key.kind],
    )


def _scoped(given: argparse.Namespace) -> Key:
    """Return the key that was asked for. Raises AgentError."""
    if not NAME.fullmatch(given.name) or given.name == OWNER.name:
        raise AgentError(
            _(
                "“{name}” is no name for a key: take up to 40 small letters, digits and hyphens, as in living-room; "
                "“owner” is taken.",
                name=given.name,
            ),
            code=ErrorCode.invalid_request,
        )
    if given.person is not None:
        found = PERSON.fullmatch(given.person)
        if found is None or found[1] not in CHATS:
            raise AgentError(
                _(
                    "“{person}” is no person: give platform and id, as in telegram:12345. /who shows them.",
                    person=given.person,
                ),
                code=ErrorCode.invalid_request,
            )
        return Key(name=given.name, kind=KeyKind.program, platforms=(found[1],), person=found[2])
    if given.owner:
        return Key(name=given.name, kind=KeyKind.owner)
    return Key(name=given.name, kind=KeyKind.bot, platforms=tuple(dict.fromkeys(given.platform or CHATS)))


def _list(settings: AgentSettings, _given: argparse.Namespace) -> str:
    with reading(_database(settings)) as session:
        found = keys.listing(session)
    rows = [(_("NAME"), _("FOR"), _("MADE"), _("LAST USED")), *map(_row, found)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def _row(stored: StoredKey) -> tuple[str, str, str, str]:
    used = _day(stored.used_at) if stored.used_at is not None else _("never")
    if stored.revoked_at is not None:
        used = _("revoked {day}", day=_day(stored.revoked_at))
    return stored.key.name, _scope(stored.key), _day(stored.created_at), used


def _scope(key: Key) -> str:
    whom = " / ".join(key.platforms)
    if key.kind is KeyKind.owner:
        return _("the owner")
    if key.kind is KeyKind.bot:
        return _("a bot on {platforms}", platforms=whom)
    return _("a program of {platform} {person}", platform=whom, person=key.person)


def _day(at: int) -> str:
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M")


def _revoke(settings: AgentSettings, given: argparse.Namespace) -> str:
    with changing(_database(settings)) as session:
        keys.revoke(session, given.name, now=time.time())
    if given.name == BOT.name:
        settings.bot_key_file.unlink(missing_ok=True)
    return _("The key “{name}” holds no more.", name=given.name)


def _pairing_code(settings: AgentSettings) -> str:
    code = _ask(settings, "GET") or _ask(settings, "POST")
    return _("Say this to the bot, in a private chat: /pair {code}", code=code)


def _ask(settings: AgentSettings, method: str) -> str | None:
    """Ask the running agent for its code, or to make one. Raises AgentError."""
    try:
        address = (settings.hearth_data_dir / ADDRESS_FILE).read_text(encoding="ascii").strip()
        key = settings.key_file.read_text(encoding="ascii").strip()
        request = urllib.request.Request(
            f"http://{address}/v1/people/pairing", method=method, headers={"Authorization": f"Bearer {key}"}
        )
        with urllib.request.urlopen(request, timeout=ANSWER_S) as response:  # noqa: S310
            return json.load(response)["code"] or None
    except (urllib.error.URLError, OSError, ValueError, KeyError) as error:
        raise AgentError(
            _(
                "No agent answers for {folder}: {reason}. Start it, and run this as the user that it runs as.",
                folder=settings.hearth_data_dir,
                reason=error,
            ),
            code=ErrorCode.store_unavailable,
        ) from error


def _database(settings: AgentSettings) -> Path:
    database = settings.hearth_data_dir / DATABASE
    if not database.is_file():
        raise AgentError(
            _(
                "There is no agent's data in {folder}. Set HEARTH_DATA_DIR to the agent's data folder, or run this as "
                "the user that the agent runs as.",
                folder=settings.hearth_data_dir,
            ),
            code=ErrorCode.not_found,
        )
    return database
