"""After the last stage: the verified model goes to the Ollama of this machine, in a child. Nothing here fails a job."""

import contextlib
import logging
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import IO

from agent.data.chat_template import ChatTemplate
from agent.export.hand_over_child import HandOver, HandOverNews
from agent.export.modelfile import ChatSettings, describe_model
from agent.job_folder.durable import replace_file
from agent.pipeline.context import Context
from agent.pipeline.evaluation import read_evaluation
from agent.pipeline.prepare import base_card, read_character
from shared.events import StageData
from shared.jobs import Stage
from shared.language import _, decimal
from shared.results import OllamaOutcome

OLLAMA_FILE = "ollama.json"
LIMIT_S = 3600.0
LISTEN_S = 1.0  # between two looks at the agent's wishes

logger = logging.getLogger("agent.pipeline.to_ollama")


def read_ollama(context: Context) -> OllamaOutcome | None:
    """Read how the hand-over went; None when none was wanted."""
    try:
        return OllamaOutcome.model_validate_json((context.folder.report / OLLAMA_FILE).read_bytes())
    except FileNotFoundError:
        return None


def run(context: Context) -> None:
    """Give the model to Ollama, unless that was done. Raises only what the agent's wishes raise."""
    if (context.folder.report / OLLAMA_FILE).exists():
        return
    card = base_card(context)
    longest = max(answer.prompt.expected_tokens for answer in read_evaluation(context).tuned_answers)
    character = read_character(context.folder)
    template = ChatTemplate(card)
    model = describe_model(template=template, stops=card.eos_tokens, longest_answer=longest, character=character)
    give_to_ollama(context, model)


def give_to_ollama(context: Context, model: ChatSettings) -> None:
    """Create the model in Ollama and write report/ollama.json. Raises only what the agent's wishes raise."""
    spec = context.spec
    if spec.ollama_url is None:
        return
    request = HandOver(
        url=spec.ollama_url,
        open_allowed=spec.ollama_open,
        gguf=str(context.gguf),
        name=spec.ollama_name,
        model=model,
    )
    try:
        outcome = _hand_over(context, request)
    except (OSError, ValueError) as error:  # the child could not be started, or said what cannot be read
        logger.exception("the hand-over failed")
        message = _(
            "The model was not given to Ollama at {url} ({kind}). Create it by hand.",
            url=request.url,
            kind=type(error).__name__,
        )
        outcome = OllamaOutcome(status="failed", message=message)
    replace_file(context.folder.report / OLLAMA_FILE, outcome.model_dump_json().encode())
    if outcome.status in ("refused", "failed"):
        context.log.write(outcome.message, StageData(stage=Stage.verify, done=False), level="warn")


def _hand_over(context: Context, request: HandOver) -> OllamaOutcome:
    child = subprocess.Popen(
        [sys.executable, "-m", "agent.export.hand_over_child"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        for news in _news_of(child, request, context):
            if news.sent_percent is not None:
                detail = _("Giving it to Ollama: {percent} %", percent=news.sent_percent)
                context.log.write(f"{detail}.", StageData(stage=Stage.verify, done=False, detail=detail))
            elif news.outcome is not None:
                return news.outcome
    finally:
        if child.poll() is None:
            child.kill()
        child.wait()
    logger.warning("the hand-over ended with %s and without an outcome", child.returncode)
    return OllamaOutcome(
        status="failed",
        message=_(
            "The model was not given to Ollama at {url}: that took over {minutes} min, or broke off. "
            "The model itself is complete: create it by hand.",
            url=request.url,
            minutes=decimal(LIMIT_S / 60, 0),
        ),
    )


def _news_of(child: "subprocess.Popen[bytes]", request: HandOver, context: Context) -> Iterator[HandOverNews]:
    """Yield what the child says, up to its end or LIMIT_S, and look meanwhile whether the agent asks for an end."""
    assert child.stdin is not None
    assert child.stdout is not None
    with contextlib.suppress(OSError), child.stdin as stdin:  # one that is gone already says so by its silence
        stdin.write(request.model_dump_json().encode())
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    listener = threading.Thread(target=_listen, args=(child.stdout, lines), name="hand-over", daemon=True)
    listener.start()
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        context.tick()
        try:
            line = lines.get(timeout=LISTEN_S)
        except queue.Empty:
            continue
        if not line:
            context.check_wishes()  # who ends this process may have ended the child with it
            return
        yield HandOverNews.model_validate_json(line)


def _listen(pipe: IO[bytes], lines: "queue.SimpleQueue[bytes]") -> None:
    with pipe:
        for line in pipe:
            lines.put(line)
    lines.put(b"")
