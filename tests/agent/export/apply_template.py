"""Renders chats by llama.cpp's own reading of chat templates: `python -m tests.agent.export.apply_template GGUF`.

Reads a JSON list of {"template", "chats"} on stdin, each chat what /apply-template takes; writes the prompts of each.
In a process of its own, since llama.cpp is not ours.
"""

import json
import os
import sys
import urllib.request
from typing import Any

import xllamacpp

KEY = "of-this-test"


def prompts(gguf: str, template: str, chats: list[dict[str, Any]]) -> list[str]:
    params = xllamacpp.CommonParams()
    params.model.path = gguf
    params.n_ctx = 64
    params.n_parallel = 1
    params.api_keys = [KEY]
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.warmup = False
    params.use_jinja = True
    params.chat_template = template
    server = xllamacpp.Server(params)
    found = [ask(server.listening_address, "apply-template", chat)["prompt"] for chat in chats]
    # An answer from its main loop: a server that ends before that has begun waits for it for ever.
    ask(server.listening_address, "completion", {"prompt": "a", "n_predict": 1})
    return found


def ask(address: str, what: str, body: Any) -> Any:
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{address}/{what}", data=json.dumps(body).encode(), headers=headers)
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.loads(response.read())


def main() -> None:
    out = os.dup(1)
    os.dup2(2, 1)
    found = [prompts(sys.argv[1], case["template"], case["chats"]) for case in json.load(sys.stdin)]
    os.write(out, json.dumps(found).encode())


if __name__ == "__main__":
    main()
