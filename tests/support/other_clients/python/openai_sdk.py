"""OpenAI's SDK for Python. Arguments: whole or stream, a PNG file, a question."""

import base64
import sys
from pathlib import Path
from typing import Any

import openai

form, picture, question = sys.argv[1:]
url = f"data:image/png;base64,{base64.b64encode(Path(picture).read_bytes()).decode()}"
content = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": question}]
messages: Any = [{"role": "user", "content": content}]
client = openai.OpenAI(max_retries=0)
model = client.models.retrieve("vlm").id
completions = client.chat.completions

if form == "stream":
    for chunk in completions.create(
        model=model, max_tokens=12, temperature=0, messages=messages, stream=True
    ):
        sys.stdout.write((chunk.choices[0].delta.content if chunk.choices else None) or "")
else:
    answer = completions.create(model=model, max_tokens=12, temperature=0, messages=messages)
    sys.stdout.write(answer.choices[0].message.content or "")
