// A connection that a test can cut: a relay in front of the server, which passes answers on in small pieces, so that a
// cut leaves a client with some of them.

import { connect, createServer } from "node:net";

/** Bytes of a piece, and the milliseconds between two. */
const PIECE = 64;
const PAUSE = 3;

/** Starts a relay to the server. `cut` resets all its connections; `connections` counts those that were made. */
export async function proxyStart(address) {
  const { hostname, port } = new URL(address);
  const open = new Set();
  let connections = 0;
  const relay = createServer((client) => {
    connections += 1;
    const server = connect(Number(port), hostname);
    const end = () => {
      open.delete(end);
      // A reset: the client loses what it has not read yet.
      client.resetAndDestroy();
      server.destroy();
    };
    open.add(end);
    client.pipe(server);
    client.on("error", end).on("close", end);
    server.on("error", end).on("close", end);
    server.on("data", async (bytes) => {
      server.pause();
      for (let at = 0; at < bytes.length && open.has(end); at += PIECE) {
        client.write(bytes.subarray(at, at + PIECE));
        await new Promise((done) => setTimeout(done, PAUSE));
      }
      server.resume();
    });
  });
  await new Promise((done) => relay.listen(0, "127.0.0.1", done));
  return {
    host: `127.0.0.1:${relay.address().port}`,
    connections: () => connections,
    cut: () => [...open].forEach((end) => end()),
    stop: () => {
      [...open].forEach((end) => end());
      relay.close();
    },
  };
}
