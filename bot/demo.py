"""`make demo`: the whole story by itself. Starts an agent and a bot, types what a person would, checks what came out.

It exits 0 only if the files are there and the tuned model speaks like the sample's persona where the base one does not.
An agent or a bot that is killed is started again and goes on where it was.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import NoReturn

from pydantic import ValidationError

from bot.errors import BotError
from bot.following.subscriptions import Subscriptions
from bot.kept.database import DATABASE, Database
from bot.kept.requests import Requests
from bot.launch.local_agent import RunningAgent, agent_listens, running_agent, stop_process
from bot.settings import LOCAL, OFF
from bot.words.format import clip, duration, one_line
from shared.errors import ErrorCode
from shared.results import JobResult

OUTPUT = Path("demo-output")
DATA = OUTPUT / ".hearth"
BOT_DIR = OUTPUT / ".hearth-bot"
KEPT = "base_models"  # in DATA: fetched once, kept between runs
OPTIONS = os.environ.get("HEARTH_DEMO_OPTIONS", "epochs:4 batch:4")  # with fewer steps the answers ramble
ASKED = f"/finetune sample name:toast {OPTIONS}\n"
STARTED = "1\n"  # the plan's first button
TYPED_AT_A_BREAK = "/status #1\n/cancel #1 yes\n"  # a bot follows what it shows, so it leaves when the job has ended
CANCEL_S = 30
TALK = "/chat toast\nDo you like Mondays?\n"
NO_OLLAMA = "off"  # a demo puts nothing into the Ollama of its visitor
BOTS = 6  # one, and five more if it is killed
MARKER = "mrrp"
RESULT_FILES = {
    "the loss plot": "*.png",
    "the report": "report.json",
    "the model (GGUF)": "*.gguf",
    "the adapter": "*-adapter.zip",
    "the Modelfile": "*Modelfile*",
}


class DemoError(BotError):
    """The story did not end as it should."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code=ErrorCode.internal)


def main() -> int:
    """Play the story; return 0 if it ended well."""
    signal.signal(signal.SIGTERM, _interrupt)
    began = time.monotonic()
    try:
        if agent_listens(DATA):
            raise DemoError(f"another demo still runs in {OUTPUT.absolute()}. Wait for its end, or end its agent.")
        _clear()
        _play(began)
    except BotError as error:
        _say(f"\nThe demo failed: {error.message}")
        _say(f"What was made so far is in {OUTPUT.absolute()}; the agent's log is .agent.log there.")
        return 1
    except KeyboardInterrupt:
        _say("\nStopped: the training, the bot and the agent.")
        return 130
    return 0


def missing_files(folder: Path) -> list[str]:
    """Return which of the promised results are not there."""
    return [what for what, pattern in RESULT_FILES.items() if not any(folder.glob(pattern))]


def judge(result: JobResult) -> str:
    """Return why the answers do not convince; empty if they do."""
    tuned = sum(MARKER in answer.tuned.lower() for answer in result.answers)
    base = sum(MARKER in answer.base.lower() for answer in result.answers)
    shown = "".join(f"\n  {clip(one_line(answer.tuned), 120)}" for answer in result.answers)
    if len(result.answers) < 3:
        return f"There are {len(result.answers)} answers in the report; three were expected."
    if tuned < 2:
        return (
            f"“{MARKER}” is in {tuned} of {len(result.answers)} tuned answers; at least 2 were expected. "
            f"The model was made and checked, but it did not take up its persona:{shown}"
        )
    if base:
        return f"“{MARKER}” is in {base} answers of the base model, which cannot know it."
    return ""


def _clear() -> None:
    """Begin afresh, but for the base model."""
    for path in [*OUTPUT.glob("*"), *DATA.glob("*")]:
        if path in {DATA, DATA / KEPT}:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    DATA.mkdir(parents=True, exist_ok=True)


def _environment() -> dict[str, str]:
    """Return the environment of agent and bot; what is set here wins over `.env`."""
    return {
        **os.environ,
        "HEARTH_DATA_DIR": str(DATA),
        "HEARTH_BIND": "127.0.0.1:0",
        "HEARTH_AGENT_URL": LOCAL,  # an agent that is started again listens elsewhere
        "HEARTH_BOT_DIR": str(BOT_DIR),
        "TELEGRAM_TOKEN": OFF,  # the demo is played here and nowhere else
        "DISCORD_TOKEN": OFF,
        "HEARTH_FILES_DIR": str(OUTPUT),
        "OLLAMA_HOST": NO_OLLAMA,
    }


def _play(began: float) -> None:
    with running_agent(DATA, OUTPUT / ".agent.log", _environment()) as agent:
        try:
            _tell(agent)
        except BaseException:
            _cancel()
            raise
        _check()
        _type(TALK, agent)
        _say(f"All of it was real, and took {duration(time.monotonic() - began)}. In {OUTPUT.absolute()}:")
        _say("\n".join(f"  {path.name}" for path in sorted(OUTPUT.iterdir()) if not path.name.startswith(".")))
        if sys.stdin.isatty() and sys.stdout.isatty():
            _sit_down(agent)


def _sit_down(agent: RunningAgent) -> None:
    """Let whoever sits here go on talking with the model."""
    _say("\nGo on talking with toast: just write. /exit ends the demo.\n")
    bot = subprocess.Popen([sys.executable, "-m", "bot"], env=_environment())
    try:
        agent.beside(bot)
        bot.wait()
    finally:
        stop_process(bot)


def _cancel() -> None:
    """Cancel the job, if there is one, and wait until it has ended: a trainer outlives its agent."""
    with Database(BOT_DIR / DATABASE) as database:
        requests = Requests(database)
        for request in requests.unanswered():
            requests.strike_out(request.id)
    bot = subprocess.Popen(
        [sys.executable, "-m", "bot"],
        env=_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # a second Ctrl-C is for us
    )
    try:
        bot.communicate(TYPED_AT_A_BREAK.encode(), timeout=CANCEL_S)
    except subprocess.TimeoutExpired:
        sys.stderr.write(f"The training did not end within {CANCEL_S} s; it was asked to, and ends by itself.\n")
    finally:
        stop_process(bot)


def _tell(agent: RunningAgent) -> None:
    """Have a bot tell the story to its end; one that is killed is followed by one that goes on."""
    for _ in range(BOTS):
        code = _type(_left_to_type(), agent)
        agent.check()
        if code == 0:
            return
        if code > 0:
            raise DemoError("the job did not succeed; the chat above says why.")
        _say(f"\nThe bot was killed (signal {-code}).\nIt is started again.\n")
    raise DemoError(f"the bot was killed {BOTS} times.")


def _left_to_type() -> str:
    """Return what no bot has taken yet, by what the last one wrote down."""
    with Database(BOT_DIR / DATABASE) as database:
        if Subscriptions(database).any():
            return ""
        kept = [request.arguments for request in Requests(database).unanswered() if request.command == "finetune"]
    if any(argument.startswith("plan:") for arguments in kept for argument in arguments):
        return ""
    return STARTED if kept else ASKED + STARTED


def _type(typed: str, agent: RunningAgent) -> int:
    """Type into a bot; show what it says, and keep it. Return its exit code: negative if it was killed."""
    bot = subprocess.Popen(
        [sys.executable, "-m", "bot"], env=_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        agent.beside(bot)
        assert bot.stdin is not None
        assert bot.stdout is not None
        with contextlib.suppress(BrokenPipeError), bot.stdin as keyboard:  # killed before it read that
            keyboard.write(typed.encode())
        with bot.stdout, (OUTPUT / "transcript.txt").open("ab", buffering=0) as transcript:
            while said := os.read(bot.stdout.fileno(), 1 << 16):
                transcript.write(said)
                sys.stdout.buffer.write(said)
                sys.stdout.buffer.flush()
        return bot.wait()
    finally:
        stop_process(bot)


def _check() -> None:
    missing = missing_files(OUTPUT)
    if missing:
        raise DemoError(f"missing in {OUTPUT}: {', '.join(missing)}.")
    try:
        result = JobResult.model_validate_json((OUTPUT / "report.json").read_bytes())
    except ValidationError as cause:
        raise DemoError(f"{OUTPUT / 'report.json'} is not a job's result: {cause}") from cause
    why = judge(result)
    if why:
        raise DemoError(why)


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
