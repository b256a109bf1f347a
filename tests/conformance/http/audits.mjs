// The audits of npm `graphql-http`: what the GraphQL-over-HTTP specification asks of a server.
// A line for each audit that does not pass, and one with their number.

import { serverAudits } from "graphql-http";

/** How many audits the pinned version has: one that has fewer would pass by leaving some out. */
const AUDITS = 61;

/** Runs every audit against a server; `verdict` hears of each that does not pass, and of the whole. */
export async function httpAudits({ server, verdict }) {
  const fetchFn = (url, options = {}) =>
    fetch(url, { ...options, headers: { ...options.headers, authorization: `Bearer ${server.token}` } });
  let passed = 0;
  for (const audit of serverAudits({ url: `${server.api}/graphql`, fetchFn })) {
    const result = await audit.fn();
    await result.response?.body?.cancel();
    if (result.status === "ok") passed += 1;
    else verdict(`graphql-http ${audit.id}`, false, `${audit.name}: ${result.status}: ${result.reason ?? ""}`);
  }
  verdict("graphql-http audits", passed === AUDITS, `${passed} of ${AUDITS}`);
}
