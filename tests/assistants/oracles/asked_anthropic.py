"""What the official `anthropic` package sends for the same question, as JSON. Started by test_oracles.py, never imported."""

from __future__ import annotations

import base64
import json
import sys

import anthropic
import httpx2

sent: list[dict[str, object]] = []


def answer(request: httpx2.Request) -> httpx2.Response:
    sent.append({"method": request.method, "url": str(request.url), "headers": dict(request.headers), "body": json.loads(request.content)})
    return httpx2.Response(
        200, headers={"content-type": "text/event-stream"}, content=b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    )


def picture(jpeg: bytes) -> dict[str, object]:
    data = base64.b64encode(jpeg).decode()
    return {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": data}}


(task,) = json.load(sys.stdin)
client = anthropic.Anthropic(api_key=task["key"], max_retries=0, http_client=httpx2.Client(transport=httpx2.MockTransport(answer)))
messages: list[object] = []
for question, said in task["earlier"]:
    messages += [{"role": "user", "content": question}, {"role": "assistant", "content": said}]
content = [picture(bytes.fromhex(each)) for each in task["pictures"]] + [{"type": "text", "text": task["question"]}]
messages.append({"role": "user", "content": content})
for _ in client.messages.create(model=task["model"], max_tokens=task["max_tokens"], messages=messages, stream=True):
    pass
json.dump(sent, sys.stdout)
