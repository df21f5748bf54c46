"""What `hearth-agent` is told on its command line: nothing, which serves, or one of its commands."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from agent.command_line import import_openai, keys, results

ABOUT = "Serves this machine's GPU to Hearth's bot and to OpenAI clients, until it is stopped (Ctrl-C, SIGTERM)."
MORE = """\
settings, from the environment or a file .env in this folder:
  HEARTH_DATA_DIR       where everything is kept: files, jobs, models, its keys
  HEARTH_BIND           host:port to listen on, 127.0.0.1:8420 if not set
  HEARTH_MODELS_DIR     folders and GGUF files that chats may name as models
  HEARTH_PUBLIC_URL     where chats may fetch results that are too large for them
deploy/env.example explains these and all others.

exit codes:
  0  stopped, or the command went well
  1  it cannot start, or the command went wrong
  2  a setting or argument is wrong
"""


@dataclass(frozen=True, kw_only=True)
class Command:
    """What can be done instead of serving; it reads the arguments after its name by itself."""

    summary: str
    run: Callable[[Sequence[str]], int]  # returns the exit code


COMMANDS = {
    "results": Command(summary="copy what a job made to here, as in: results 12", run=results.main),
    "key": Command(summary="make, list or revoke the keys of bots and programs", run=keys.main),
    "import-openai": Command(summary="plan jobs of OpenAI here, from what was downloaded", run=import_openai.main),
    "pairing-code": Command(summary="print the code that makes you the owner in a chat", run=keys.pairing_code),
}


def read_command_line(arguments: Sequence[str]) -> Callable[[], int] | None:
    """Return the command that was given, None for serving. Exits with 0 after the help, with 2 for what is unknown."""
    parser = argparse.ArgumentParser(
        prog="hearth-agent", description=ABOUT, epilog=MORE, formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )  # fmt: skip
    commands = parser.add_subparsers(dest="command", title="commands", metavar="COMMAND")
    for name, command in COMMANDS.items():
        commands.add_parser(name, help=command.summary, add_help=False)
    given, rest = parser.parse_known_args(arguments)
    if given.command is not None:
        return partial(COMMANDS[given.command].run, rest)
    if rest:
        parser.error(f"I do not know {rest[0]!r}. Without arguments I serve; --help shows what else there is.")
    return None
