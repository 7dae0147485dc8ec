"""What the official `google-genai` package sends for the same question, as JSON. Started by test_oracles.py, never imported."""

from __future__ import annotations

import json
import sys

import httpx2
from google import genai
from google.genai import types

sent: list[dict[str, object]] = []


def answer(request: httpx2.Request) -> httpx2.Response:
    sent.append({"method": request.method, "url": str(request.url), "headers": dict(request.headers), "body": json.loads(request.content)})
    content = b'data: {"candidates":[{"content":{"parts":[{"text":"ok"}]},"finishReason":"STOP"}]}\n\n'
    return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=content)


(task,) = json.load(sys.stdin)
client = genai.Client(
    api_key=task["key"],
    http_options=types.HttpOptions(httpx_client=httpx2.Client(transport=httpx2.MockTransport(answer))),
)
contents = []
for question, said in task["earlier"]:
    contents.append(types.Content(role="user", parts=[types.Part(text=question)]))
    contents.append(types.Content(role="model", parts=[types.Part(text=said)]))
parts = [types.Part.from_bytes(data=bytes.fromhex(each), mime_type="image/jpeg") for each in task["pictures"]]
contents.append(types.Content(role="user", parts=[*parts, types.Part(text=task["question"])]))
for _ in client.models.generate_content_stream(model=task["model"], contents=contents):
    pass
json.dump(sent, sys.stdout)
