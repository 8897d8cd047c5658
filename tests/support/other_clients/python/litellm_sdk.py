"""LiteLLM's SDK. Arguments: whole or stream, a PNG file, a question."""

# pyright: basic, reportMissingImports=false

import base64
import os
import sys
from pathlib import Path

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # or it asks the Internet for prices
import litellm

form, picture, question = sys.argv[1:]
url = f"data:image/png;base64,{base64.b64encode(Path(picture).read_bytes()).decode()}"
content = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": question}]
request = {
    "model": "openai/vlm",
    "max_tokens": 12,
    "temperature": 0,
    "max_retries": 0,
    "messages": [{"role": "user", "content": content}],
}

if form == "stream":
    for chunk in litellm.completion(**request, stream=True):
        sys.stdout.write(chunk.choices[0].delta.content or "")
else:
    sys.stdout.write(litellm.completion(**request).choices[0].message.content)
