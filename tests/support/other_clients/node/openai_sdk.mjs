// OpenAI's SDK for Node. Arguments: whole or stream, a PNG file, a question.
import { readFileSync } from "node:fs";
import OpenAI from "openai";

const [form, picture, question] = process.argv.slice(2);
const url = `data:image/png;base64,${readFileSync(picture).toString("base64")}`;
const client = new OpenAI({ maxRetries: 0 });
const model = (await client.models.retrieve("vlm")).id;
const content = [
  { type: "image_url", image_url: { url } },
  { type: "text", text: question },
];
const request = { model, max_tokens: 12, temperature: 0, messages: [{ role: "user", content }] };

if (form === "stream") {
  const stream = await client.chat.completions.create({ ...request, stream: true });
  for await (const chunk of stream) {
    process.stdout.write(chunk.choices[0]?.delta?.content ?? "");
  }
} else {
  const answer = await client.chat.completions.create(request);
  process.stdout.write(answer.choices[0].message.content);
}
