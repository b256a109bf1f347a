// Starts GraphiQL. Whoever has signed in is known by the cookie, which the browser sends along; a token that is typed into "Headers" goes into the requests
// and into a subscription's connection_init, and counts before the cookie. No header is set beforehand: it would count too.

const who = document.getElementById("who");

async function session() {
  const answer = await fetch("/auth/session", { credentials: "same-origin" });
  return answer.ok ? answer.json() : null;
}

function greet(signedIn) {
  if (signedIn) {
    const tenant = signedIn.tenant ? `, in the tenant ${signedIn.tenant}` : ", in no tenant";
    who.textContent = `Signed in as ${signedIn.user.email}${tenant}.`;
    return;
  }
  const link = document.createElement("a");
  link.href = "/sign-in?return_to=/graphql";
  link.textContent = "Sign in";
  who.replaceChildren(link, ', or put {"Authorization": "Bearer nyx_…"} with your token into Headers below.');
}

function start(signedIn) {
  greet(signedIn);
  const address = new URL("/graphql", location.origin);
  const socket = new URL(address);
  socket.protocol = socket.protocol === "https:" ? "wss:" : "ws:";
  const fetcher = GraphiQL.createFetcher({ url: address.href, subscriptionUrl: socket.href });
  const page = React.createElement(GraphiQL, {
    fetcher,
    defaultEditorToolsVisibility: signedIn ? true : "headers",
    defaultQuery: "{\n  viewer {\n    user { name email }\n    tenant { name }\n    role\n  }\n}\n",
  });
  ReactDOM.createRoot(document.getElementById("graphiql")).render(page);
}

session().catch(() => null).then(start);
