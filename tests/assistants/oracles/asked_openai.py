"""What the official `openai` package sends for the same question, as JSON. Started by test_oracles.py, never imported."""

from __future__ import annotations

import base64
import json
import sys

import httpx2
import openai

sent: list[dict[str, object]] = []


def answer(request: httpx2.Request) -> httpx2.Response:
    sent.append({"method": request.method, "url": str(request.url), "headers": dict(request.headers), "body": json.loads(request.content)})
    return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=b"data: [DONE]\n\n")


def url(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()


def ask(task: dict[str, object]) -> None:
    """One question, in both of the forms."""
    pictures = [bytes.fromhex(each) for each in task["pictures"]]
    http = httpx2.Client(transport=httpx2.MockTransport(answer))
    client = openai.OpenAI(api_key=task["key"], base_url=task["base_url"], max_retries=0, http_client=http)
    chat: list[object] = []
    items: list[object] = []
    for question, said in task["earlier"]:
        for turns in (chat, items):
            turns += [{"role": "user", "content": question}, {"role": "assistant", "content": said}]
    parts = [{"type": "text", "text": task["question"]}]
    parts += [{"type": "image_url", "image_url": {"url": url(each)}} for each in pictures]
    chat.append({"role": "user", "content": parts})
    inputs = [{"type": "input_text", "text": task["question"]}]
    inputs += [{"type": "input_image", "image_url": url(each), "detail": "auto"} for each in pictures]
    items.append({"role": "user", "content": inputs})
    for _ in client.chat.completions.create(model=task["model"], messages=chat, stream=True, **task["chat"]):
        pass
    for _ in client.responses.create(model=task["model"], input=items, stream=True, store=False):
        pass


for task in json.load(sys.stdin):
    ask(task)
json.dump(sent, sys.stdout)
