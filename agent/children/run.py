"""Runs one child that reads for the agent: confined, limited in time, the first to go when memory runs out."""

import asyncio
import contextlib
import logging
import signal
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from agent.children.priority import OomScore, offer_to_oom_killer
from agent.children.sandbox import Policy, Sandbox
from agent.errors import AgentError
from shared.language import N_, _, decimal

LINE_BYTES = 64 << 20  # of an answer, at most
logger = logging.getLogger(__name__)


async def run_child(
    module: str,
    request: str,
    environment: dict[str, str],
    limit_s: float,
    refusal: Callable[[str], AgentError],
    *,
    sandbox: Sandbox,
    policy: Policy,
    on_line: Callable[[bytes], None] = lambda _line: None,
) -> bytes:
    """Run the `main` of a module confined, in a process of its own: give it `request`, return the last line it says.

    `on_line` is told the lines before. Raises `refusal` when it dies or hangs. When memory runs out, it goes before any
    trainer: what it reads is a stranger's file.
    """
    with tempfile.TemporaryDirectory(prefix="hearth-child-") as scratch:
        mine = replace(policy, write=(*policy.write, Path(scratch)))
        process = await asyncio.create_subprocess_exec(
            *sandbox.wrap((sys.executable, "-m", "agent.children", module), mine),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment | {"TMPDIR": scratch, "HOME": scratch},  # caches and tokens of the person stay out of it
            start_new_session=True,
            limit=LINE_BYTES,
        )
        offer_to_oom_killer(process.pid, OomScore.READER)
        return await _answer_of(process, module, request, limit_s, refusal, on_line)


async def _answer_of(
    process: asyncio.subprocess.Process,
    module: str,
    request: str,
    limit_s: float,
    refusal: Callable[[str], AgentError],
    on_line: Callable[[bytes], None],
) -> bytes:
    try:
        output, errors = await asyncio.wait_for(_talk(process, request.encode(), on_line), limit_s)
    except TimeoutError as error:
        raise refusal(_("took longer than {seconds} s and was stopped", seconds=decimal(limit_s, 0))) from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        logger.error("%s ended with %s: %s", module, process.returncode, errors.decode(errors="replace")[-2000:])
        raise refusal(_how_it_ended(process.returncode))
    return output


def _how_it_ended(code: int | None) -> str:
    """Say what made a child end, as far as its exit code tells."""
    try:
        name = signal.Signals(-(code or 0)).name
    except ValueError:
        return _("ended unexpectedly (exit {code}), by a fault of Hearth", code=code)
    words = {
        "SIGXCPU": N_("took more processor time than it may have, and was stopped"),
        "SIGKILL": N_("was killed, most likely because the machine has no memory left"),
        "SIGABRT": N_("gave up, most likely at its memory limit"),
    }
    return _(words[name]) if name in words else _("crashed ({signal})", signal=name)


async def _talk(
    process: asyncio.subprocess.Process, request: bytes, on_line: Callable[[bytes], None]
) -> tuple[bytes, bytes]:
    """Return the last line of stdout, and all of stderr."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    errors = asyncio.ensure_future(process.stderr.read())
    try:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it died; its exit code says more
            process.stdin.write(request)
            await process.stdin.drain()
            process.stdin.close()
        last = b""
        async for line in process.stdout:
            if last:
                on_line(last)
            last = line
        await process.wait()
        return last, await errors
    finally:
        errors.cancel()
