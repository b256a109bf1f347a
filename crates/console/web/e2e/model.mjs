// A model server on loopback that speaks OpenAI's Chat Completions: it streams one scripted answer, piece by piece.

import { createServer } from "node:http";

export const ANSWER = {
  markdown: "## What the code says\n\nParts are read by `part_read` [1]. Each checks for an empty text first.",
  action_points: [{ text: "Name the next reader part_read, too.", citations: [1] }],
  open_questions: ["Who calls the readers?"],
};
export const USAGE = { prompt_tokens: 1000, completion_tokens: 500, total_tokens: 1500 };

/** `pauseMs` lies between two pieces of the answer. */
export async function modelStart({ pauseMs = 15, answer = ANSWER } = {}) {
  const state = { requests: [], hold: undefined };
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const asked = JSON.parse(Buffer.concat(chunks).toString() || "{}");
    state.requests.push(asked);
    const piece = (choices, more = {}) => ({
      id: "chatcmpl-1",
      object: "chat.completion.chunk",
      created: 1,
      model: asked.model,
      choices,
      ...more,
    });
    const text = JSON.stringify(answer);
    if (!asked.stream) {
      response.writeHead(200, { "content-type": "application/json" });
      const choices = [{ index: 0, message: { role: "assistant", content: text }, finish_reason: "stop" }];
      response.end(JSON.stringify({ ...piece(choices, { usage: USAGE }), object: "chat.completion" }));
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    const send = (value) => response.write(`data: ${typeof value === "string" ? value : JSON.stringify(value)}\n\n`);
    const size = 12;
    for (let at = 0; at < text.length; at += size) {
      send(
        piece([{ index: 0, delta: { role: "assistant", content: text.slice(at, at + size) }, finish_reason: null }]),
      );
      await new Promise((done) => setTimeout(done, pauseMs));
      if (at <= text.length / 2 && at + size > text.length / 2) await state.hold;
    }
    send(piece([{ index: 0, delta: {}, finish_reason: "stop" }]));
    send(piece([], { usage: USAGE }));
    send("[DONE]");
    response.end();
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return {
    url: `http://127.0.0.1:${server.address().port}/v1`,
    requests: state.requests,
    /** The next answer stops in its middle until the returned function is called. */
    hold: () => {
      let release = () => {};
      state.hold = new Promise((done) => (release = done));
      return release;
    },
    stop: () =>
      new Promise((done) => {
        server.close(done);
        server.closeAllConnections();
      }),
  };
}
