"""LangChain. Arguments: whole or stream, a PNG file, a question."""

# pyright: basic, reportMissingImports=false

import base64
import sys
from pathlib import Path

from langchain_openai import ChatOpenAI

form, picture, question = sys.argv[1:]
data = base64.b64encode(Path(picture).read_bytes()).decode()
content = [
    {"type": "image", "base64": data, "mime_type": "image/png"},
    {"type": "text", "text": question},
]
model = ChatOpenAI(model="vlm", max_tokens=12, temperature=0, max_retries=0)
messages = [{"role": "user", "content": content}]

if form == "stream":
    for chunk in model.stream(messages):
        sys.stdout.write(chunk.text)
else:
    sys.stdout.write(model.invoke(messages).text)
