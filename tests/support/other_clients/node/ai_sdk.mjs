// The AI SDK, with its provider for other servers. Arguments: whole or stream, a PNG file, a question.
import { readFileSync } from "node:fs";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, streamText } from "ai";

const [form, picture, question] = process.argv.slice(2);
const provider = createOpenAICompatible({
  name: "hub",
  baseURL: process.env.OPENAI_BASE_URL,
  apiKey: process.env.OPENAI_API_KEY,
});
const content = [
  { type: "file", data: readFileSync(picture), mediaType: "image/png" },
  { type: "text", text: question },
];
const request = {
  model: provider("vlm"),
  maxRetries: 0,
  maxOutputTokens: 12,
  temperature: 0,
  messages: [{ role: "user", content }],
};

if (form === "stream") {
  const onError = ({ error }) => {
    console.error(error);
    process.exitCode = 1;
  };
  for await (const text of streamText({ ...request, onError }).textStream) {
    process.stdout.write(text);
  }
} else {
  process.stdout.write((await generateText(request)).text);
}
