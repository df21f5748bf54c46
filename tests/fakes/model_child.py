"""A child without llama.cpp that speaks the lines of the real one, as a real process. Its questions tell it what to do.

`hold` waits until a file `go` lies beside the GGUF, `crash` kills it, `crash halfway` behind the last piece of one that
is streamed, `too long` and `odd` are refused as llama.cpp refuses them; to `weather?` it calls a tool, if it is
offered one. A GGUF that says `broken` cannot be loaded, one that says `slow` never is.
"""

import os
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from agent.chat.protocol import Line, Load, ModelReply, Question
from shared.chat import AnsweredCall, AnsweredFunction

CALLED = AnsweredFunction(name="get_weather", arguments='{"place": "Bath", "for": "mia@example.org"}')
CALL = ModelReply(
    text="",
    tool_calls=[AnsweredCall(id="c1", function=CALLED)],
    finish_reason="tool_calls",
    prompt_tokens=9,
    completion_tokens=7,
)


def answer(load: Load, question: Question) -> Line:
    asked = question.messages[-1].content
    match asked:
        case "crash":
            sys.stderr.write("GGML_ASSERT failed for mia@example.org\n")
            sys.stderr.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        case "too long":
            return Line(too_long=5000)
        case "odd":
            return Line(problem="this model has no such template")
        case "hold":
            while not Path(load.gguf).with_name("go").exists():
                time.sleep(0.005)
        case "environment":
            asked = " ".join(sorted(os.environ))
        case "weather?" if question.tools:
            return Line(said=CALL)
    text = f"{asked}, answers {os.getpid()} with {load.threads} threads"
    return Line(
        said=ModelReply(
            text=text,
            finish_reason="length" if question.max_tokens == 1 else "stop",
            prompt_tokens=len(question.messages),
            completion_tokens=question.max_tokens,
        )
    )


def lines() -> Iterator[bytes]:
    """Yield what is asked; end with stdin, whatever is being done."""
    arrived = threading.Condition()
    heard: list[bytes] = []

    def hear() -> None:
        for line in sys.stdin.buffer:
            with arrived:
                heard.append(line)
                arrived.notify()
        os._exit(0)

    threading.Thread(target=hear, daemon=True).start()
    while True:
        with arrived:
            while not heard:
                arrived.wait()
            line = heard.pop(0)
        yield line


def say(line: Line) -> None:
    sys.stdout.write(line.model_dump_json() + "\n")
    sys.stdout.flush()


def main() -> None:
    asked = lines()
    load = Load.model_validate_json(next(asked))
    match Path(load.gguf).read_bytes():
        case b"broken":
            sys.exit("not a GGUF")
        case b"slow":
            threading.Event().wait()
    say(Line())
    for line in asked:
        question = Question.model_validate_json(line)
        whole = answer(load, question)
        if question.in_pieces and whole.said is not None and not question.tools:
            for piece in re.findall(r"\s*\S+", whole.said.text):
                say(Line(piece=piece))
        if question.messages[-1].content == "crash halfway":
            os.kill(os.getpid(), signal.SIGKILL)
        say(whole)


if __name__ == "__main__":
    main()
