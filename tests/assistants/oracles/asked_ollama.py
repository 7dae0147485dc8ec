"""What the official `ollama` package sends for the same question, as JSON. Started by test_oracles.py, never imported."""

from __future__ import annotations

import json
import sys

import httpx
import ollama

sent: list[dict[str, object]] = []


def answer(request: httpx.Request) -> httpx.Response:
    sent.append({"method": request.method, "url": str(request.url), "headers": dict(request.headers), "body": json.loads(request.content)})
    return httpx.Response(200, content=b'{"model":"m","message":{"role":"assistant","content":"ok"},"done":true}\n')


(task,) = json.load(sys.stdin)
client = ollama.Client(host=task["base_url"], transport=httpx.MockTransport(answer))
messages: list[object] = []
for question, said in task["earlier"]:
    messages += [{"role": "user", "content": question}, {"role": "assistant", "content": said}]
message: dict[str, object] = {"role": "user", "content": task["question"]}
if task["pictures"]:
    message["images"] = [bytes.fromhex(each) for each in task["pictures"]]
messages.append(message)
for _ in client.chat(model=task["model"], messages=messages, stream=True, **task["chat"]):
    pass
json.dump(sent, sys.stdout)
